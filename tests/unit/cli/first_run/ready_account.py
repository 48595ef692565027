"""An account that is ready for its first deployment, as the documents that AWS answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unit.functions.doctor.account import CLUSTER, DOMAIN, STACK, WILDCARD, ZONE, Account, AwsError, long_ago

from cloud_agent_cli import first_run
from cloud_agent_cli.first_run.deployment import deployment
from cloud_agent_doctor import dns, probe
from cloud_agent_doctor.diagnose import run_checks
from cloud_agent_doctor.engine.context import CheckContext

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.findings import Report

    Document = dict[str, Any]

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
ROLE = "arn:aws:iam::123456789012:role/cloud-agent-SessionStateMachineRole-1"
GIVEN = {
    "AgentImageUri": f"{REGISTRY}/agent:1",
    "CertificateArn": CERTIFICATE,
    "DomainName": DOMAIN,
    "HostedZoneId": ZONE,
    "ProxyImageUri": f"{REGISTRY}/proxy:1",
}
NAME_SERVERS = ["ns-1.awsdns-01.org", "ns-2.awsdns-02.co.uk"]


class ReadyAccount(Account):
    """Everything is there but the stack. A test changes the documents as a fault would."""

    def __init__(self) -> None:
        super().__init__()
        self.deployed = False
        self.roles = {"AWSServiceRoleForECS"}
        self.zone: Document = {"Id": ZONE, "Name": f"{DOMAIN}.", "CallerReference": "1"}
        self.certificate: Document = {"DomainName": WILDCARD, "Status": "ISSUED"}
        self.repositories = {"agent", "proxy"}
        self.vcpus: float | None = 100
        self.concurrency = 1000
        self.profiles = {"eu.anthropic.claude": "anthropic.claude"}
        self.model_access = "AVAILABLE"
        self.diagnostics: list[Document] = []
        self.decisions: dict[str, Document] = {}
        self.definitions: list[str] = []

    def first_run(self, **given: str) -> Report:
        """The report of a first run with these parameters besides those that are needed."""
        aws = self.aws()
        stack = deployment(aws, STACK, "eu-central-1", GIVEN | given)
        return run_checks(first_run.CHECKS, CheckContext(aws, stack, dns.resolve, probe.probe_session), lambda _: None)

    def deploy(self) -> None:
        """Let the stack be there, with these of its resources."""
        self.deployed = True
        self.roles.add(ROLE.rpartition("/")[2])

    def describe_stacks(self, request: Document) -> Document:
        if not self.deployed:
            raise AwsError("ValidationError", f"Stack with id {STACK} does not exist")
        return super().describe_stacks(request)

    def list_stack_resources(self, _: Document) -> Document:
        physical_ids = {"SessionStateMachineRole": ROLE.rpartition("/")[2], "Cluster": CLUSTER}
        physical_ids |= {"AgentTaskRole": "cloud-agent-task", "AgentExecutionRole": "cloud-agent-execution"}
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": logical_id,
                    "PhysicalResourceId": physical_id,
                    "ResourceType": "AWS::IAM::Role",
                    "LastUpdatedTimestamp": long_ago(),
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for logical_id, physical_id in physical_ids.items()
            ]
        }

    def get_caller_identity(self, _: Document) -> Document:
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/operator", "UserId": "1"}

    def get_role(self, request: Document) -> Document:
        if request["RoleName"] not in self.roles:
            raise AwsError("NoSuchEntity")
        role = {"Path": "/", "RoleName": request["RoleName"], "RoleId": "1" * 16, "CreateDate": long_ago()}
        return {"Role": role | {"Arn": f"arn:aws:iam::123456789012:role/{request['RoleName']}"}}

    def simulate_principal_policy(self, request: Document) -> Document:
        (action,) = request["ActionNames"]
        allowed = {"EvalActionName": action, "EvalDecision": "allowed"}
        return {"EvaluationResults": [allowed | self.decisions.get(action, {})]}

    def get_hosted_zone(self, request: Document) -> Document:
        if request["Id"] != self.zone["Id"]:
            raise AwsError("NoSuchHostedZone")
        return {"HostedZone": self.zone, "DelegationSet": {"NameServers": NAME_SERVERS}}

    def describe_certificate(self, request: Document) -> Document:
        if request["CertificateArn"] != CERTIFICATE:
            raise AwsError("ResourceNotFoundException")
        return {"Certificate": self.certificate}

    def describe_images(self, request: Document) -> Document:
        if request["repositoryName"] not in self.repositories:
            raise AwsError("ImageNotFoundException")
        return {"imageDetails": [{"imageDigest": "sha256:1"}]}

    def get_service_quota(self, _: Document) -> Document:
        if self.vcpus is None:
            raise AwsError("NoSuchResourceException")
        return {"Quota": {"QuotaCode": "L-3032A538", "Value": self.vcpus}}

    def get_aws_default_service_quota(self, _: Document) -> Document:
        return {"Quota": {"QuotaCode": "L-3032A538", "Value": 6.0}}

    def get_account_settings(self, _: Document) -> Document:
        limits = {"ConcurrentExecutions": self.concurrency, "UnreservedConcurrentExecutions": self.concurrency}
        return {"AccountLimit": limits}

    def get_inference_profile(self, request: Document) -> Document:
        model = self.profiles.get(request["inferenceProfileIdentifier"])
        if model is None:
            raise AwsError("ResourceNotFoundException")
        arn = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude"
        return {
            "inferenceProfileName": "Claude",
            "inferenceProfileArn": arn,
            "inferenceProfileId": "eu.anthropic.claude",
            "status": "ACTIVE",
            "type": "SYSTEM_DEFINED",
            "models": [{"modelArn": f"arn:aws:bedrock:eu-central-1::foundation-model/{model}"}],
        }

    def get_foundation_model_availability(self, request: Document) -> Document:
        return {
            "modelId": request["modelId"],
            "agreementAvailability": {"status": self.model_access},
            "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": self.model_access,
            "regionAvailability": "AVAILABLE",
        }

    def validate_state_machine_definition(self, request: Document) -> Document:
        self.definitions.append(request["definition"])
        return {"result": "FAIL" if self.diagnostics else "OK", "diagnostics": self.diagnostics}

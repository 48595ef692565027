"""Load balancers, certificates, security groups, images and state machines are described as AWS describes them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.testing import EmbeddedAws, Json

DEFAULT = "arn:aws:acm:us-east-1:000000000000:certificate/default"


def refusal(call: Callable[..., object], **request: object) -> str:
    """The code that AWS refuses a call with."""
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value.response["Error"]["Code"])


class LoadBalancer:
    """One with a listener whose default rule forwards to a target group, and a rule that forwards to another."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.elbv2 = aws.client("elbv2")
        vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        self.arn = self.elbv2.create_load_balancer(Name=self.name(), Subnets=["subnet-00000001"])["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
        self.target_groups = [
            self.elbv2.create_target_group(Name=self.name(), Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
                "TargetGroupArn"
            ]
            for _ in range(2)
        ]
        self.listener = self.elbv2.create_listener(
            LoadBalancerArn=self.arn,
            Port=443,
            Protocol="HTTPS",
            Certificates=[{"CertificateArn": DEFAULT}],
            DefaultActions=[self.forward(0)],
        )["Listeners"][0]["ListenerArn"]
        self.rule = self.elbv2.create_rule(
            ListenerArn=self.listener,
            Priority=10,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}],
            Actions=[self.forward(1)],
        )["Rules"][0]["RuleArn"]

    @staticmethod
    def name() -> str:
        return f"test-{uuid.uuid4().hex[:8]}"

    def forward(self, group: int) -> Json:
        return {"Type": "forward", "TargetGroupArn": self.target_groups[group]}


@pytest.fixture
def balancer(aws: EmbeddedAws) -> LoadBalancer:
    return LoadBalancer(aws)


def test_a_deleted_load_balancer_takes_its_listeners_and_rules_along(balancer: LoadBalancer) -> None:
    elbv2 = balancer.elbv2
    elbv2.delete_load_balancer(LoadBalancerArn=balancer.arn)
    described = [
        arn for page in [elbv2.describe_listeners()] for arn in (one["ListenerArn"] for one in page["Listeners"])
    ]
    assert balancer.listener not in described
    assert balancer.rule not in [one["RuleArn"] for one in elbv2.describe_rules()["Rules"]]


def test_listeners_and_rules_that_are_gone_are_not_found(balancer: LoadBalancer) -> None:
    elbv2 = balancer.elbv2
    elbv2.delete_load_balancer(LoadBalancerArn=balancer.arn)
    assert refusal(elbv2.describe_listeners, LoadBalancerArn=balancer.arn) == "LoadBalancerNotFound"
    assert refusal(elbv2.describe_listeners, ListenerArns=[balancer.listener]) == "ListenerNotFound"
    assert refusal(elbv2.describe_rules, ListenerArn=balancer.listener) == "ListenerNotFound"
    assert refusal(elbv2.describe_rules, RuleArns=[balancer.rule]) == "RuleNotFound"


def test_a_listener_has_certificates_beside_its_default_one(balancer: LoadBalancer) -> None:
    elbv2, listener = balancer.elbv2, balancer.listener
    more = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/more"}

    def described() -> list[tuple[str, bool]]:
        answer = elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
        return [(one["CertificateArn"].rsplit("/", 1)[-1], one["IsDefault"]) for one in answer]

    elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[more])
    assert described() == [("default", True), ("more", False)]
    elbv2.remove_listener_certificates(ListenerArn=listener, Certificates=[more])
    assert described() == [("default", True)]
    elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[more | {"CertificateArn": DEFAULT}])
    assert described() == [("default", True), ("default", False)]


def test_a_security_group_rule_is_revoked_without_its_description(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    first, second = (
        ec2.create_security_group(GroupName=LoadBalancer.name(), Description="test", VpcId=vpc)["GroupId"]
        for _ in range(2)
    )

    def permission(**pair: str) -> list[Json]:
        pairs = [{"GroupId": second, **pair}]
        return [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": pairs}]

    ec2.authorize_security_group_ingress(GroupId=first, IpPermissions=permission(Description="visitors"))
    ec2.revoke_security_group_ingress(GroupId=first, IpPermissions=permission())
    assert ec2.describe_security_groups(GroupIds=[first])["SecurityGroups"][0]["IpPermissions"] == []


def test_an_image_that_is_not_there_is_not_found(aws: EmbeddedAws) -> None:
    ecr, name = aws.client("ecr"), LoadBalancer.name()
    ecr.create_repository(repositoryName=name)
    ecr.put_image(repositoryName=name, imageManifest=json.dumps({"schemaVersion": 2}), imageTag="there")
    found = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "there"}])["imageDetails"]
    assert found[0]["imageTags"] == ["there"]
    missing = refusal(ecr.describe_images, repositoryName=name, imageIds=[{"imageTag": "missing"}])
    assert missing == "ImageNotFoundException"


def test_an_imported_certificate_has_its_own_names_and_dates(aws: EmbeddedAws) -> None:
    acm = aws.client("acm")
    names = ["*.uat.example.com", "uat.example.com"]
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    arn = acm.import_certificate(**certificate(names, begin, begin + timedelta(days=90)))["CertificateArn"]
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert names == described["SubjectAlternativeNames"]
    assert [begin, begin + timedelta(days=90)] == [described["NotBefore"], described["NotAfter"]]


def test_a_simulated_request_has_the_context_that_it_is_given(aws: EmbeddedAws) -> None:
    condition = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    role = aws.role("states.amazonaws.com", ("iam:PassRole", "arn:aws:iam::000000000000:role/agent", condition))

    def decision(*services: str) -> str:
        entries = [
            {"ContextKeyName": "iam:PassedToService", "ContextKeyValues": [service], "ContextKeyType": "string"}
            for service in services
        ]
        answer = aws.client("iam").simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=["iam:PassRole"],
            ResourceArns=["arn:aws:iam::000000000000:role/agent"],
            ContextEntries=entries,
        )
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    asked = [decision("ecs-tasks.amazonaws.com"), decision("lambda.amazonaws.com"), decision()]
    assert asked == ["allowed", "implicitDeny", "implicitDeny"]


def test_a_state_machine_of_a_template_logs_and_traces_as_declared(aws: EmbeddedAws) -> None:
    group = "arn:aws:logs:us-east-1:000000000000:log-group:workflow:*"
    properties: Json = {
        "DefinitionString": json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        "RoleArn": "arn:aws:iam::000000000000:role/any",
        "LoggingConfiguration": {
            "Level": "ALL",
            "IncludeExecutionData": False,
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
        },
        "TracingConfiguration": {"Enabled": True},
    }

    def deployed(stack: str | None = None) -> tuple[Json, object, object]:
        machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
        outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
        found = aws.deploy({"Resources": {"Machine": machine}, "Outputs": outputs}, stack)
        described = aws.client("stepfunctions").describe_state_machine(stateMachineArn=found["Arn"])
        return found, described["loggingConfiguration"], described["tracingConfiguration"]

    stack, logging, tracing = deployed()
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
    assert {"level": "ALL", "includeExecutionData": False, "destinations": destinations} == logging
    assert tracing == {"enabled": True}
    del properties["LoggingConfiguration"], properties["TracingConfiguration"]
    _, logging, tracing = deployed(stack["Stack"])
    assert (
        logging,
        tracing,
    ) == ({"level": "OFF", "includeExecutionData": False, "destinations": []}, {"enabled": False})


def certificate(names: list[str], begin: datetime, end: datetime) -> dict[str, Any]:
    """A certificate signed by itself, as ImportCertificate takes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), begin, end)
    signed = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"Certificate": signed.public_bytes(serialization.Encoding.PEM), "PrivateKey": private}

"""An AWS account as the documents that AWS answers with.

The clients are botocore's own: requests are built and checked by AWS's service models, and so are the answers given
here; only the network between them is left out. A test changes the documents as a fault would.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.validate import validate_parameters

from cloud_agent_doctor.diagnose import diagnose
from cloud_agent_doctor.engine.aws import Aws

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_agent_doctor.engine.check import Check
    from cloud_agent_doctor.engine.findings import Outcome, Report

    Document = dict[str, Any]

STACK = "cloud-agent"
DOMAIN = "example.com"
UAT_DOMAIN = f"uat.{DOMAIN}"
WILDCARD = f"*.{UAT_DOMAIN}"
VPC, VPC_CIDR = "vpc-0a1b2c3d", "10.0.0.0/16"
ZONE = "Z0123456789ABC"
_ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
_ECS = "arn:aws:ecs:eu-central-1:123456789012"

LOAD_BALANCER = f"{_ELB}:loadbalancer/app/cloud-agent/50dc6c495c0c9188"
HTTPS_LISTENER = f"{_ELB}:listener/app/cloud-agent/50dc6c495c0c9188/0467ef3c8400ae65"
HTTP_LISTENER = f"{_ELB}:listener/app/cloud-agent/50dc6c495c0c9188/8a2d6bc24d8a067f"
RULE = f"{_ELB}:listener-rule/app/cloud-agent/50dc6c495c0c9188/0467ef3c8400ae65/9683b2d02a6cabee"
TARGET_GROUP = f"{_ELB}:targetgroup/cloud-agent-proxy/73e2d6bc24d8a067"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"

OTHER_LOAD_BALANCER = f"{_ELB}:loadbalancer/app/shop/1111111111111111"
OTHER_LISTENER = f"{_ELB}:listener/app/shop/1111111111111111/2222222222222222"
OTHER_TARGET_GROUP = f"{_ELB}:targetgroup/shop/3333333333333333"
OTHER_CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/99999999-9999-9999-9999-999999999999"

LOAD_BALANCER_GROUP, PROXY_GROUP, AGENT_GROUP, OTHER_GROUP = "sg-0aa", "sg-0bb", "sg-0cc", "sg-0dd"

CLUSTER = "cloud-agent-Cluster-1A2B3C"
SERVICE = f"{_ECS}:service/{CLUSTER}/cloud-agent-ProxyService-4D5E6F"
PROXY_REVISION = f"{_ECS}:task-definition/cloud-agent-proxy:5"
AGENT_REVISION = f"{_ECS}:task-definition/cloud-agent-agent:7"
TABLE = "cloud-agent-SessionsTable-7G8H9I"
DETECTION = "b78ac9b0-dec1-11e7-a451-503a3example"

_IAM_PREFIXES = {"elastic load balancing v2": "elasticloadbalancing"}


class AwsError(Exception):
    """What AWS answers in place of a result."""

    def __init__(self, code: str, message: str = "no such thing") -> None:
        super().__init__(message)
        self.code = code


def long_ago() -> datetime:
    """Long enough that nothing is still on its way."""
    return datetime.now(UTC) - timedelta(days=2)


def tcp(port: int, *, groups: Sequence[str] = (), ranges: Sequence[str] = (), last: int | None = None) -> Document:
    """A security group's rule as EC2 describes it."""
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": last or port,
        "UserIdGroupPairs": [{"GroupId": one, "UserId": "123456789012"} for one in groups],
        "IpRanges": [{"CidrIp": one} for one in ranges],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
    }


EVERYTHING_OUT = {"IpProtocol": "-1", "UserIdGroupPairs": [], "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def forward(*target_groups: str) -> list[Document]:
    """A rule's action as DescribeRules describes it."""
    action: Document = {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": one, "Weight": 1} for one in target_groups]},
    }
    return [action | ({"TargetGroupArn": target_groups[0]} if len(target_groups) == 1 else {})]


def host_rule(arn: str, priority: str, host: str, actions: list[Document], **path: str) -> Document:
    """A rule for a host and, if `path` is given, for a part of its paths."""
    conditions: list[Document] = [
        {"Field": "host-header", "Values": [host], "HostHeaderConfig": {"Values": [host]}},
        *({"Field": "path-pattern", "Values": [one], "PathPatternConfig": {"Values": [one]}} for one in path.values()),
    ]
    return {"RuleArn": arn, "Priority": priority, "Conditions": conditions, "Actions": actions, "IsDefault": False}


class Account:
    """A healthy stack with a load balancer of its own, and another project's load balancer beside it."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        """The IAM actions that were asked."""
        self.denied: set[str] = set()
        """The IAM actions that are refused."""
        self.addresses: dict[str, set[str]] = {
            "cloud-agent-1.eu-central-1.elb.amazonaws.com": {"192.0.2.10", "192.0.2.11"},
            "shop-1.eu-central-1.elb.amazonaws.com": {"192.0.2.20"},
            f"doctor.uat.{DOMAIN}": {"192.0.2.11"},
        }
        self.stack_status = "UPDATE_COMPLETE"
        self.parameters: dict[str, str] = {
            "DomainName": DOMAIN,
            "HostedZoneId": ZONE,
            "UatUrl": "",
            "IndexAtUatDomain": "false",
            "VpcId": VPC,
            "VpcCidr": VPC_CIDR,
            "VisitorCidr": "0.0.0.0/0",
            "CertificateArn": CERTIFICATE,
            "ProxyDesiredCount": "2",
            "LoadBalancer": "own",
            "ListenerArn": "",
            "LoadBalancerSecurityGroupId": "",
            "LoadBalancerDnsName": "",
        }
        self.outputs = {"LoadBalancerDnsName": "cloud-agent-1.eu-central-1.elb.amazonaws.com"}
        self.resources: dict[str, tuple[str, str]] = {
            "ApplicationLoadBalancer": ("AWS::ElasticLoadBalancingV2::LoadBalancer", LOAD_BALANCER),
            "HttpsListener": ("AWS::ElasticLoadBalancingV2::Listener", HTTPS_LISTENER),
            "HttpListener": ("AWS::ElasticLoadBalancingV2::Listener", HTTP_LISTENER),
            "UatListenerRule": ("AWS::ElasticLoadBalancingV2::ListenerRule", RULE),
            "ProxyTargetGroup": ("AWS::ElasticLoadBalancingV2::TargetGroup", TARGET_GROUP),
            "LoadBalancerSecurityGroup": ("AWS::EC2::SecurityGroup", LOAD_BALANCER_GROUP),
            "ProxySecurityGroup": ("AWS::EC2::SecurityGroup", PROXY_GROUP),
            "AgentSecurityGroup": ("AWS::EC2::SecurityGroup", AGENT_GROUP),
            "Cluster": ("AWS::ECS::Cluster", CLUSTER),
            "ProxyService": ("AWS::ECS::Service", SERVICE),
            "ProxyTaskDefinition": ("AWS::ECS::TaskDefinition", PROXY_REVISION),
            "AgentTaskDefinition": ("AWS::ECS::TaskDefinition", AGENT_REVISION),
            "SessionsTable": ("AWS::DynamoDB::Table", TABLE),
            "UatRecord": ("AWS::Route53::RecordSet", WILDCARD),
        }
        self.records: list[Document] | None = [
            {
                "Name": f"\\052.uat.{DOMAIN}.",
                "Type": "A",
                "AliasTarget": {
                    "HostedZoneId": "Z215JYRZR1TBD5",
                    "DNSName": "dualstack.Cloud-Agent-1.eu-central-1.elb.amazonaws.com.",
                    "EvaluateTargetHealth": False,
                },
            },
            {"Name": f"www.{DOMAIN}.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "elsewhere.org"}]},
        ]
        self.certificates: dict[str, Document] = {
            CERTIFICATE: self._certificate(CERTIFICATE, WILDCARD),
            OTHER_CERTIFICATE: self._certificate(OTHER_CERTIFICATE, f"*.{DOMAIN}"),
        }
        self.load_balancers: dict[str, Document] = {
            LOAD_BALANCER: self._load_balancer(LOAD_BALANCER, "cloud-agent", LOAD_BALANCER_GROUP),
            OTHER_LOAD_BALANCER: self._load_balancer(OTHER_LOAD_BALANCER, "shop", OTHER_GROUP),
        }
        redirect = {
            "Type": "redirect",
            "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
        }
        nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        self.listeners: dict[str, Document] = {
            HTTPS_LISTENER: self._listener(HTTPS_LISTENER, LOAD_BALANCER, 443, CERTIFICATE, [nothing]),
            HTTP_LISTENER: self._listener(HTTP_LISTENER, LOAD_BALANCER, 80, None, [redirect]),
            OTHER_LISTENER: self._listener(
                OTHER_LISTENER, OTHER_LOAD_BALANCER, 443, OTHER_CERTIFICATE, forward(OTHER_TARGET_GROUP)
            ),
        }
        self.further_certificates: dict[str, list[str]] = {}
        self.rules: dict[str, list[Document]] = {
            HTTPS_LISTENER: [
                host_rule(RULE, "10", WILDCARD, forward(TARGET_GROUP)),
                self._default_rule(HTTPS_LISTENER, [nothing]),
            ],
            HTTP_LISTENER: [self._default_rule(HTTP_LISTENER, [redirect])],
            OTHER_LISTENER: [self._default_rule(OTHER_LISTENER, forward(OTHER_TARGET_GROUP))],
        }
        self.target_groups: dict[str, Document] = {
            TARGET_GROUP: {
                "TargetGroupArn": TARGET_GROUP,
                "TargetGroupName": "cloud-agent-proxy",
                "Protocol": "HTTP",
                "Port": 8080,
                "VpcId": VPC,
                "HealthCheckEnabled": True,
                "HealthCheckProtocol": "HTTP",
                "HealthCheckPort": "traffic-port",
                "HealthCheckPath": "/health",
                "Matcher": {"HttpCode": "200"},
                "LoadBalancerArns": [LOAD_BALANCER],
                "TargetType": "ip",
            },
        }
        self.tags: dict[str, dict[str, str]] = {}
        self.targets: list[Document] = [self.target("10.0.2.10"), self.target("10.0.2.11")]
        self.groups: dict[str, Document] = {
            LOAD_BALANCER_GROUP: self._group(
                LOAD_BALANCER_GROUP,
                [tcp(443, ranges=["0.0.0.0/0"]), tcp(80, ranges=["0.0.0.0/0"])],
                [tcp(8080, groups=[PROXY_GROUP])],
            ),
            PROXY_GROUP: self._group(
                PROXY_GROUP,
                [tcp(8080, groups=[LOAD_BALANCER_GROUP])],
                [*(tcp(port, groups=[AGENT_GROUP]) for port in (3000, 23300)), tcp(443, ranges=["0.0.0.0/0"])],
            ),
            AGENT_GROUP: self._group(
                AGENT_GROUP,
                [tcp(port, groups=[PROXY_GROUP]) for port in (3000, 23300)],
                [tcp(443, ranges=["0.0.0.0/0"])],
            ),
            OTHER_GROUP: self._group(OTHER_GROUP, [tcp(443, ranges=["0.0.0.0/0"])], [EVERYTHING_OUT]),
        }
        self.groups_in_use = {LOAD_BALANCER_GROUP, PROXY_GROUP, OTHER_GROUP}
        self.service: Document | None = {
            "serviceArn": SERVICE,
            "serviceName": "cloud-agent-ProxyService-4D5E6F",
            "status": "ACTIVE",
            "desiredCount": 2,
            "runningCount": 2,
            "pendingCount": 0,
            "taskDefinition": PROXY_REVISION,
            "networkConfiguration": {
                "awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": [PROXY_GROUP]}
            },
            "deployments": [
                {
                    "id": "ecs-svc/1",
                    "status": "PRIMARY",
                    "taskDefinition": PROXY_REVISION,
                    "desiredCount": 2,
                    "runningCount": 2,
                    "failedTasks": 0,
                    "createdAt": long_ago(),
                    "rolloutState": "COMPLETED",
                    "rolloutStateReason": "ECS deployment ecs-svc/1 completed.",
                }
            ],
            "events": [{"id": "1", "createdAt": long_ago(), "message": "(service proxy) has reached a steady state."}],
        }
        self.tasks: list[Document] = []
        self.sessions: dict[str, str] = {}
        self.drifts: list[Document] = []
        self.detection = ["DETECTION_COMPLETE"]
        """What each look at a drift detection finds; the last stays."""
        self.refuses_detection = ""
        self.others_detections = 0
        """How many attempts at one are refused, because another is running."""

    # ------------------------------------------------------------------ looking at it

    def outcome(self, check: Check) -> Outcome:
        """How this check, asked alone, goes."""
        return self.report([check]).outcomes[-1]

    def report(self, checks: Sequence[Check]) -> Report:
        """The report of a run of these checks."""
        return diagnose(
            STACK, self.aws(), checks=checks, resolve=lambda host: frozenset(self.addresses.get(host.lower(), ()))
        )

    def aws(self) -> Aws:
        """The doctor's view on the account."""
        return Aws(self.client)

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """A client that asks this account, until another account gives it out."""
        client = _client(service)
        for event, handler in (("before-parameter-build", self._keep_request), ("before-call", self._answer)):
            client.meta.events.unregister(event, unique_id=event)
            client.meta.events.register(event, handler, unique_id=event)
        return client

    def _keep_request(self, params: Document, context: Document, **_: object) -> None:
        context["request"] = dict(params)

    def _answer(self, model: Any, context: Document, **_: object) -> tuple[AWSResponse, Document]:  # noqa: ANN401
        service = str(model.service_model.service_id).lower()
        action = f"{_IAM_PREFIXES.get(service, service.replace(' ', ''))}:{model.name}"
        self.asked.add(action)
        if action in self.denied:
            return self._error(AwsError("AccessDenied", f"not authorized to perform: {action}"))
        answer: Callable[[Document], Document] = getattr(self, xform_name(model.name))
        try:
            document = answer(context["request"])
        except AwsError as error:
            return self._error(error)
        validate_parameters(document, model.output_shape)
        return AWSResponse("", 200, HTTPHeaders(), None), document | {"ResponseMetadata": {}}

    def _error(self, error: AwsError) -> tuple[AWSResponse, Document]:
        document = {"Error": {"Code": error.code, "Message": str(error)}, "ResponseMetadata": {}}
        return AWSResponse("", 400, HTTPHeaders(), None), document

    # ------------------------------------------------------------------ its documents

    @staticmethod
    def _load_balancer(arn: str, name: str, group: str) -> Document:
        return {
            "LoadBalancerArn": arn,
            "LoadBalancerName": name,
            "DNSName": f"{name}-1.eu-central-1.elb.amazonaws.com",
            "Type": "application",
            "Scheme": "internet-facing",
            "State": {"Code": "active"},
            "VpcId": VPC,
            "SecurityGroups": [group],
        }

    @staticmethod
    def _listener(
        arn: str, load_balancer: str, port: int, certificate: str | None, actions: list[Document]
    ) -> Document:
        listener: Document = {
            "ListenerArn": arn,
            "LoadBalancerArn": load_balancer,
            "Port": port,
            "Protocol": "HTTPS" if certificate else "HTTP",
            "DefaultActions": actions,
        }
        return listener | ({"Certificates": [{"CertificateArn": certificate}]} if certificate else {})

    @staticmethod
    def _default_rule(listener: str, actions: list[Document]) -> Document:
        arn = f"{listener.replace(':listener/', ':listener-rule/')}/0000000000000000"
        return {"RuleArn": arn, "Priority": "default", "Conditions": [], "Actions": actions, "IsDefault": True}

    @staticmethod
    def _certificate(arn: str, name: str) -> Document:
        return {
            "CertificateArn": arn,
            "DomainName": name,
            "SubjectAlternativeNames": [name],
            "Status": "ISSUED",
            "Type": "AMAZON_ISSUED",
            "NotAfter": datetime.now(UTC) + timedelta(days=200),
            "RenewalEligibility": "ELIGIBLE",
        }

    @staticmethod
    def _group(group_id: str, ingress: list[Document], egress: list[Document]) -> Document:
        return {
            "GroupId": group_id,
            "GroupName": f"group-{group_id}",
            "VpcId": VPC,
            "IpPermissions": ingress,
            "IpPermissionsEgress": egress,
            "Tags": [],
        }

    @staticmethod
    def target(address: str, state: str = "healthy", reason: str = "", description: str = "") -> Document:
        """One target's health as DescribeTargetHealth describes it."""
        health = {"State": state} | ({"Reason": reason, "Description": description} if reason else {})
        return {"Target": {"Id": address, "Port": 8080}, "HealthCheckPort": "8080", "TargetHealth": health}

    # ------------------------------------------------------------------ what changes it

    def delete_load_balancer(self) -> None:
        """As a person does in the console: its listeners and rules go with it, its security group stays."""
        del self.load_balancers[LOAD_BALANCER]
        for listener in (HTTPS_LISTENER, HTTP_LISTENER):
            del self.listeners[listener]
            del self.rules[listener]
        self.target_groups[TARGET_GROUP]["LoadBalancerArns"] = []
        self.addresses.pop("cloud-agent-1.eu-central-1.elb.amazonaws.com")
        self.addresses.pop(f"doctor.uat.{DOMAIN}")
        for target in self.targets:
            target["TargetHealth"] = {"State": "unused", "Reason": "Target.NotInUse"}

    def lead_dns_elsewhere(self) -> None:
        """The record leads to the other project's load balancer."""
        assert self.records is not None
        self.records[0]["AliasTarget"]["DNSName"] = "dualstack.shop-1.eu-central-1.elb.amazonaws.com."
        self.addresses[f"doctor.uat.{DOMAIN}"] = {"192.0.2.20"}

    def have_index_at_uat_domain(self) -> None:
        """The stack with `IndexAtUatDomain=true`, as it's deployed: record, host of the rule and certificate."""
        assert self.records is not None
        self.parameters["IndexAtUatDomain"] = "true"
        self.resources["UatDomainRecord"] = ("AWS::Route53::RecordSet", UAT_DOMAIN)
        self.records.append(deepcopy(self.records[0]) | {"Name": f"{UAT_DOMAIN}."})
        self.addresses[UAT_DOMAIN] = set(self.addresses[f"doctor.{UAT_DOMAIN}"])
        self.certificates[CERTIFICATE]["SubjectAlternativeNames"].append(UAT_DOMAIN)
        (condition,) = self.rules[HTTPS_LISTENER][0]["Conditions"]
        condition["Values"] = condition["HostHeaderConfig"]["Values"] = [WILDCARD, UAT_DOMAIN]

    def use_existing(self) -> None:
        """The stack without a load balancer of its own: it has a rule on the other project's."""
        for name in ("ApplicationLoadBalancer", "HttpsListener", "HttpListener", "LoadBalancerSecurityGroup"):
            del self.resources[name]
        self.delete_load_balancer()
        del self.groups[LOAD_BALANCER_GROUP]
        self.lead_dns_elsewhere()
        self.parameters |= {
            "LoadBalancer": "existing",
            "ListenerArn": OTHER_LISTENER,
            "LoadBalancerSecurityGroupId": OTHER_GROUP,
            "LoadBalancerDnsName": "shop-1.eu-central-1.elb.amazonaws.com",
            "CertificateArn": "",
        }
        self.outputs["LoadBalancerDnsName"] = "shop-1.eu-central-1.elb.amazonaws.com"
        self.rules[OTHER_LISTENER].insert(0, host_rule(RULE, "10", WILDCARD, forward(TARGET_GROUP)))
        self.further_certificates[OTHER_LISTENER] = [CERTIFICATE]
        self.target_groups[TARGET_GROUP]["LoadBalancerArns"] = [OTHER_LOAD_BALANCER]
        self.groups[PROXY_GROUP]["IpPermissions"] = [tcp(8080, groups=[OTHER_GROUP])]
        self.targets = [self.target("10.0.2.10"), self.target("10.0.2.11")]

    # ------------------------------------------------------------------ what it answers

    def describe_stacks(self, _: Document) -> Document:
        return {
            "Stacks": [
                {
                    "StackName": STACK,
                    "StackId": f"arn:aws:cloudformation:eu-central-1:123456789012:stack/{STACK}/0",
                    "CreationTime": long_ago(),
                    "StackStatus": self.stack_status,
                    "Parameters": [
                        {"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()
                    ],
                    "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()],
                }
            ]
        }

    def list_stack_resources(self, _: Document) -> Document:
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": physical_id,
                    "ResourceType": type_,
                    "LastUpdatedTimestamp": long_ago(),
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for name, (type_, physical_id) in self.resources.items()
            ]
        }

    def detect_stack_drift(self, _: Document) -> Document:
        if self.refuses_detection:
            raise AwsError("ValidationError", self.refuses_detection)
        if self.others_detections:
            self.others_detections -= 1
            raise AwsError("ValidationError", f"Drift detection is already in progress for stack [{STACK}]")
        return {"StackDriftDetectionId": DETECTION}

    def describe_stack_drift_detection_status(self, request: Document) -> Document:
        assert request == {"StackDriftDetectionId": DETECTION}
        return {
            "StackId": STACK,
            "StackDriftDetectionId": DETECTION,
            "DetectionStatus": self.detection.pop(0) if len(self.detection) > 1 else self.detection[0],
            "DetectionStatusReason": "Failed to detect drift on resource [HttpApi]",
            "Timestamp": long_ago(),
        }

    def describe_stack_resource_drifts(self, request: Document) -> Document:
        """One resource a page."""
        wanted = [
            one for one in self.drifts if one["StackResourceDriftStatus"] in request["StackResourceDriftStatusFilters"]
        ]
        at = int(request.get("NextToken", 0))
        following = {"NextToken": str(at + 1)} if at + 1 < len(wanted) else {}
        return {"StackResourceDrifts": wanted[at : at + 1]} | following

    def list_resource_record_sets(self, request: Document) -> Document:
        if self.records is None or request["HostedZoneId"] != ZONE:
            raise AwsError("NoSuchHostedZone")
        assert request["StartRecordName"] in {WILDCARD, UAT_DOMAIN}
        return {"ResourceRecordSets": self.records, "IsTruncated": False, "MaxItems": "300"}

    def describe_certificate(self, request: Document) -> Document:
        if request["CertificateArn"] not in self.certificates:
            raise AwsError("ResourceNotFoundException")
        return {"Certificate": self.certificates[request["CertificateArn"]]}

    def describe_load_balancers(self, request: Document) -> Document:
        arns = request.get("LoadBalancerArns", list(self.load_balancers))
        if not set(arns) <= set(self.load_balancers):
            raise AwsError("LoadBalancerNotFound")
        return {"LoadBalancers": [self.load_balancers[arn] for arn in arns]}

    def describe_listeners(self, request: Document) -> Document:
        if request["LoadBalancerArn"] not in self.load_balancers:
            raise AwsError("LoadBalancerNotFound")
        found = self.listeners.values()
        return {"Listeners": [one for one in found if one["LoadBalancerArn"] == request["LoadBalancerArn"]]}

    def describe_listener_certificates(self, request: Document) -> Document:
        arn = request["ListenerArn"]
        default = [{**one, "IsDefault": True} for one in self.listeners[arn]["Certificates"]]
        further = [{"CertificateArn": one, "IsDefault": False} for one in self.further_certificates.get(arn, [])]
        return {"Certificates": [*default, *further]}

    def describe_rules(self, request: Document) -> Document:
        return {"Rules": self.rules[request["ListenerArn"]]}

    def describe_target_groups(self, request: Document) -> Document:
        arns = request.get("TargetGroupArns", list(self.target_groups))
        if not set(arns) <= set(self.target_groups):
            raise AwsError("TargetGroupNotFound")
        return {"TargetGroups": [self.target_groups[arn] for arn in arns]}

    def describe_tags(self, request: Document) -> Document:
        assert 1 <= len(request["ResourceArns"]) <= 20
        return {
            "TagDescriptions": [
                {"ResourceArn": arn} | ({"Tags": _tags(self.tags[arn])} if arn in self.tags else {})
                for arn in request["ResourceArns"]
            ]
        }

    def describe_target_health(self, request: Document) -> Document:
        if request["TargetGroupArn"] not in self.target_groups:
            raise AwsError("TargetGroupNotFound")
        return {"TargetHealthDescriptions": self.targets}

    def describe_security_groups(self, request: Document) -> Document:
        if not set(request.get("GroupIds", ())) <= set(self.groups):
            raise AwsError("InvalidGroup.NotFound")
        if "Filters" in request:
            assert request["Filters"] == [{"Name": "vpc-id", "Values": [VPC]}]
        return {"SecurityGroups": [self.groups[one] for one in request.get("GroupIds", list(self.groups))]}

    def describe_network_interfaces(self, request: Document) -> Document:
        (only,) = request["Filters"]
        assert only["Name"] == "group-id"
        return {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}] * bool(set(only["Values"]) & self.groups_in_use)}

    def describe_services(self, request: Document) -> Document:
        assert request["cluster"] == CLUSTER
        if self.service is None:
            return {"services": [], "failures": [{"arn": request["services"][0], "reason": "MISSING"}]}
        return {"services": [self.service], "failures": []}

    def list_tasks(self, request: Document) -> Document:
        assert (request["cluster"], request["family"]) == (CLUSTER, "cloud-agent-agent")
        return {"taskArns": [task["taskArn"] for task in self.tasks]}

    def describe_tasks(self, request: Document) -> Document:
        return {"tasks": [task for task in self.tasks if task["taskArn"] in request["tasks"]], "failures": []}

    def get_item(self, request: Document) -> Document:
        assert request["TableName"] == TABLE
        session_id = request["Key"]["pk"]["S"].removeprefix("SESSION#")
        if session_id not in self.sessions:
            return {}
        return {"Item": request["Key"] | {"status": {"S": self.sessions[session_id]}}}


@cache
def _client(service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """One for all accounts: to make one takes longer than a whole run."""
    return botocore.session.Session().create_client(
        service,
        region_name="eu-central-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="example",
    )


def _tags(tags: dict[str, str]) -> list[Document]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]

"""Defect: drift detection knows nothing of load balancers, security groups, services and records.

AWS supports it for them, so a load balancer deleted by hand is reported as DELETED, and what differs from the template
as MODIFIED. The readers here give a resource's properties in the template's shape; what they do not give is not
compared. Roles are compared with their inline policies too.

Source: AWS CloudFormation User Guide, "Resources that support import and drift detection operations", and its release
history of October 1, 2020: drift detection on all resources defined as provisionable.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb, ec2, ecs, iam, route53
from ministack.services.cloudformation import drift

if TYPE_CHECKING:
    from collections.abc import Callable

    Properties = dict[str, Any]
    Reader = Callable[[str, Properties], Properties | None]

_ELB = "AWS::ElasticLoadBalancingV2"


def apply() -> None:
    """Add the readers."""
    readers: dict[str, tuple[Reader, set[str]]] = {
        f"{_ELB}::LoadBalancer": (_load_balancer, {"Scheme", "SecurityGroups", "Subnets"}),
        f"{_ELB}::Listener": (_listener, {"Port", "Protocol", "Certificates"}),
        f"{_ELB}::ListenerRule": (_listener_rule, {"Priority", "Conditions", "Actions"}),
        f"{_ELB}::TargetGroup": (_target_group, {"Port", "Protocol", "HealthCheckPath", "HealthCheckPort"}),
        "AWS::EC2::SecurityGroup": (_security_group, set()),
        "AWS::EC2::SecurityGroupIngress": (_security_group_rule("IpPermissions"), set()),
        "AWS::EC2::SecurityGroupEgress": (_security_group_rule("IpPermissionsEgress"), set()),
        "AWS::ECS::Cluster": (_cluster, set()),
        "AWS::ECS::Service": (_service, {"DesiredCount", "TaskDefinition"}),
        "AWS::ECS::TaskDefinition": (_task_definition, set()),
        "AWS::Route53::RecordSet": (_record, {"AliasTarget"}),
    }
    for resource_type, (read, properties) in readers.items():
        drift._DRIFT_READERS[resource_type] = (read, frozenset(properties))
    read_role, of_role = drift._DRIFT_READERS["AWS::IAM::Role"]
    drift._DRIFT_READERS["AWS::IAM::Role"] = (_with_policies(read_role), of_role | {"Policies"})


def _load_balancer(arn: str, _expected: Properties) -> Properties | None:
    found: Properties | None = alb._lbs.get(arn)
    return found and {name: found[name] for name in ("Scheme", "SecurityGroups", "Subnets")}


def _listener(arn: str, _expected: Properties) -> Properties | None:
    found = alb._listeners.get(arn)
    if found is None:
        return None
    certificates = [{"CertificateArn": one} for one in found.get("Certificates", [])]
    return {"Port": found["Port"], "Protocol": found["Protocol"], "Certificates": certificates}


def _listener_rule(arn: str, expected: Properties) -> Properties | None:
    found = alb._rules.get(arn)
    if found is None:
        return None
    shapes = {"Conditions": found["Conditions"], "Actions": found["Actions"]}
    # Both sides may say the same in two ways, `Values` and `HostHeaderConfig`: only what the template says is read.
    return {"Priority": found["Priority"]} | {
        name: [_like(one, want) for one, want in zip(given, expected.get(name, []), strict=False)]
        for name, given in shapes.items()
    }


def _like(given: Properties, expected: Properties) -> Properties:
    if "HostHeaderConfig" in expected:
        given = given | {"HostHeaderConfig": {"Values": given.get("Values", [])}}
    return {name: value for name, value in given.items() if name in expected}


def _target_group(arn: str, _expected: Properties) -> Properties | None:
    found: Properties | None = alb._tgs.get(arn)
    return found and {name: found[name] for name in ("Port", "Protocol", "HealthCheckPath", "HealthCheckPort")}


def _security_group(group_id: str, _expected: Properties) -> Properties | None:
    return {} if group_id in ec2._security_groups else None


def _security_group_rule(permissions: str) -> Reader:
    def read(rule_id: str, expected: Properties) -> Properties | None:
        rules = (ec2._security_groups.get(expected["GroupId"]) or {}).get(permissions, [])
        return {} if rule_id in {rule.get("SecurityGroupRuleId") for rule in rules} else None

    return read


def _cluster(name: str, _expected: Properties) -> Properties | None:
    return {} if name in ecs._clusters else None


def _service(arn: str, _expected: Properties) -> Properties | None:
    found = next((one for one in ecs._services.values() if one["serviceArn"] == arn), None)
    if found is None or found["status"] != "ACTIVE":
        return None
    return {"DesiredCount": found["desiredCount"], "TaskDefinition": found["taskDefinition"]}


def _task_definition(arn: str, _expected: Properties) -> Properties | None:
    active = {one["taskDefinitionArn"] for one in ecs._task_defs.values() if one["status"] == "ACTIVE"}
    return {} if arn in active else None


def _record(name: str, expected: Properties) -> Properties | None:
    for record in route53._records.get(expected["HostedZoneId"]) or []:
        if record["Name"].rstrip(".") == name.rstrip(".") and record["Type"] == expected["Type"]:
            target = record.get("AliasTarget") or {}
            named = target | {"DNSName": target.get("DNSName", "").rstrip(".")}
            return {"AliasTarget": _like(named, expected.get("AliasTarget", {}))}
    return None


def _with_policies(read: Reader) -> Reader:
    def read_role(name: str, expected: Properties) -> Properties | None:
        current = read(name, expected)
        if current is None:
            return None
        inline = iam._roles[name].get("InlinePolicies", {}).items()
        return current | {
            "Policies": [{"PolicyName": policy, "PolicyDocument": drift._json_or(text)} for policy, text in inline]
        }

    return read_role

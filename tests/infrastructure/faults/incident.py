"""The five faults of the incident, each done by the calls that the hand made, and what each is to be found as.

On 2026-02-02 no session URL could be reached, though the agents worked. Faults 1 and 2 together put another load
balancer in use. Where fault 3 or 4 is not set up beside them, that one has been given what it needs by hand, as it was
after the incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.infrastructure.world import UAT_NAME

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tests.infrastructure.world import World

PROXY_PORT = 8080
_REGISTERED = (  # of what is described, what a new revision is registered with
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "runtimePlatform",
)


@dataclass(frozen=True)
class IncidentFault:
    """One of the five."""

    number: int
    words: str
    check: str
    """The check that must find it."""


INCIDENT = (
    IncidentFault(1, "the load balancer was deleted outside CloudFormation", "load-balancer"),
    IncidentFault(2, "the DNS record points to another team's load balancer", "dns-record"),
    IncidentFault(3, "the listener in use has no rule for the host name", "listener-rule"),
    IncidentFault(4, "the proxy admits another group than that of the load balancer in use", "proxy-ingress"),
    IncidentFault(5, "the proxy's running revision has SESSION_TABLE in place of SESSIONS_TABLE", "environment"),
)


def expected_checks(numbers: Collection[int]) -> list[str]:
    """The checks that are to find these faults, one finding each, in the order of the path."""
    found = {fault.check for fault in INCIDENT if fault.number in numbers}
    if {1, 3} <= set(numbers) and 2 not in numbers:
        # The rule went with its load balancer, and no other is in use: there's no second thing to fix.
        found.remove("listener-rule")
    order = ("dns-record", "load-balancer", "listener-rule", "proxy-ingress", "environment")
    return [check for check in order if check in found]


def set_up(world: World, numbers: Collection[int]) -> None:
    """Break the world by these of the five."""
    another_is_in_use = {1, 2} <= set(numbers)
    if 1 in numbers:
        delete_load_balancer(world)
    if 2 in numbers:
        point_record_elsewhere(world)
    if another_is_in_use and 3 not in numbers:
        give_rule_to_other_load_balancer(world)
    if another_is_in_use and 4 not in numbers:
        admit(world, world.other.security_group_id)
    if 3 in numbers and 1 not in numbers:
        delete_rule(world)
    if 4 in numbers and not another_is_in_use:
        admit_other_group_only(world)
    if 5 in numbers:
        misspell_sessions_table(world)


def delete_load_balancer(world: World) -> None:
    """1: its security group stays behind; CloudFormation goes on to say CREATE_COMPLETE."""
    elbv2, arn = world.client("elbv2"), world.load_balancer_arn
    unprotected = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=unprotected)
    elbv2.delete_load_balancer(LoadBalancerArn=arn)


def point_record_elsewhere(world: World) -> None:
    """2: host names resolve, to the wrong place."""
    alias = {
        "DNSName": world.other.dns_name,
        "HostedZoneId": world.other.hosted_zone_id,
        "EvaluateTargetHealth": False,
    }
    change_record(world, "UPSERT", {"Name": UAT_NAME, "Type": "A", "AliasTarget": alias})


def delete_rule(world: World) -> None:
    """3: every host name shows what the listener's default is."""
    world.client("elbv2").delete_rule(RuleArn=world.resources["UatListenerRule"])


def admit_other_group_only(world: World) -> None:
    """4: the load balancer in use does not get through to the proxy."""
    revoke_ingress(world, "ProxySecurityGroup", "ProxyIngress")
    admit(world, world.other.security_group_id)


def misspell_sessions_table(world: World) -> None:
    """5: a revision made by hand, in which the proxy is not told its table."""

    def misspell(container: dict[str, Any]) -> None:
        for variable in container["environment"]:
            if variable["name"] == "SESSIONS_TABLE":
                variable["name"] = "SESSION_TABLE"

    run_revision(world, misspell)


def give_rule_to_other_load_balancer(world: World) -> None:
    """What fixed fault 3 after the incident."""
    world.client("elbv2").create_rule(
        ListenerArn=world.other.listener_arn,
        Priority=10,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [UAT_NAME]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": world.resources["ProxyTargetGroup"]}],
    )


def admit(world: World, group: str) -> None:
    """What fixed fault 4 after the incident, when the group was the right one."""
    world.client("ec2").authorize_security_group_ingress(
        GroupId=world.resources["ProxySecurityGroup"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": PROXY_PORT,
                "ToPort": PROXY_PORT,
                "UserIdGroupPairs": [{"GroupId": group}],
            }
        ],
    )


def revoke_ingress(world: World, group: str, rule: str) -> None:
    """Take a rule of the stack out of a group of the stack; both by logical id."""
    world.client("ec2").revoke_security_group_ingress(
        GroupId=world.resources[group], SecurityGroupRuleIds=[world.resources[rule]]
    )


def change_record(world: World, action: str, record: dict[str, Any]) -> None:
    """Change a record of the hosted zone."""
    change = {"Action": action, "ResourceRecordSet": record}
    world.client("route53").change_resource_record_sets(HostedZoneId=world.zone_id, ChangeBatch={"Changes": [change]})


def run_revision(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Register the proxy's definition anew, its container changed by hand, and have the service run that."""
    update_service(world, taskDefinition=register_revision(world, "ProxyTaskDefinition", change))


def register_revision(world: World, logical_id: str, change: Callable[[dict[str, Any]], None]) -> str:
    """Register a task definition of the stack anew, its container changed by hand; returns the revision's ARN."""
    ecs = world.client("ecs")
    definition = ecs.describe_task_definition(taskDefinition=world.resources[logical_id])["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    change(container)
    described = {name: definition[name] for name in _REGISTERED if name in definition}
    return str(ecs.register_task_definition(**described)["taskDefinition"]["taskDefinitionArn"])


def update_service(world: World, **change: object) -> None:
    """Change the proxy's service and wait until it is so; undone with the world, whose tasks no snapshot holds."""
    ecs, name = world.client("ecs"), world.resources["ProxyService"]
    (service,) = ecs.describe_services(cluster=world.cluster, services=[name])["services"]
    before = {member: service[member] for member in change}
    ecs.update_service(cluster=world.cluster, service=name, **change)
    _settle(world)

    def undo() -> None:
        ecs.update_service(cluster=world.cluster, service=name, **before)
        _settle(world)

    world.undo.callback(undo)


def _settle(world: World) -> None:
    def settled() -> bool:
        answer = world.client("ecs").describe_services(
            cluster=world.cluster, services=[world.resources["ProxyService"]]
        )
        (service,) = answer["services"]
        deployments = service["deployments"]
        whole = service["runningCount"] == service["desiredCount"]
        return whole and len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"

    eventually(settled, 30)

"""Faults between the browser and the dev server, and what's left behind there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.infrastructure.certificates import import_certificate
from tests.infrastructure.faults.fault import Fault
from tests.infrastructure.faults.incident import PROXY_PORT, change_record, revoke_ingress
from tests.infrastructure.world import DOMAIN, UAT_DOMAIN, UAT_NAME, Mode

if TYPE_CHECKING:
    from tests.infrastructure.world import World

AGENT_PORT = 3000


def record_is_deleted(world: World) -> None:
    """No session's name resolves."""
    _delete_record(world, UAT_NAME)


def record_of_the_index_is_deleted(world: World) -> None:
    """The name above the sessions' doesn't resolve; the stack has it with its existing load balancer."""
    _delete_record(world, UAT_DOMAIN)


def certificate_lacks_the_index(world: World) -> None:
    """It was imported anew, with the wildcard alone."""
    import_certificate(world.client("acm"), UAT_NAME, over=world.certificate_arn)


def rule_lacks_the_index(world: World) -> None:
    """Somebody tidied up."""
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": [UAT_NAME]}}]
    world.client("elbv2").modify_rule(RuleArn=world.resources["UatListenerRule"], Conditions=conditions)


def certificate_has_expired(world: World) -> None:
    """Nobody renewed what was imported."""
    import_certificate(world.client("acm"), UAT_NAME, UAT_DOMAIN, began_days_ago=120, over=world.certificate_arn)


def certificate_is_for_another_name(world: World) -> None:
    """It was imported anew, without the wildcard."""
    import_certificate(world.client("acm"), UAT_DOMAIN, over=world.certificate_arn)


def listener_has_another_certificate(world: World) -> None:
    """A visitor's browser is shown another team's name."""
    elbv2, shown = world.client("elbv2"), [{"CertificateArn": world.certificate_arn}]
    if world.mode is Mode.EXISTING:
        elbv2.remove_listener_certificates(ListenerArn=world.listener_arn, Certificates=shown)
        return
    other = elbv2.describe_listener_certificates(ListenerArn=world.other.listener_arn)["Certificates"]
    (default,) = (one["CertificateArn"] for one in other if one["IsDefault"])
    elbv2.modify_listener(ListenerArn=world.listener_arn, Certificates=[{"CertificateArn": default}])


def listener_is_deleted(world: World) -> None:
    """Nobody answers on 443."""
    world.client("elbv2").delete_listener(ListenerArn=world.listener_arn)


def rule_is_shadowed(world: World) -> None:
    """An earlier rule takes all names of the domain."""
    _create_rule(world, world.listener_arn, 5, [f"*.{DOMAIN}"], world.other.target_group_arn)


def rule_forwards_elsewhere(world: World) -> None:
    """Session URLs show another team's service."""
    actions = [{"Type": "forward", "TargetGroupArn": world.other.target_group_arn}]
    world.client("elbv2").modify_rule(RuleArn=world.resources["UatListenerRule"], Actions=actions)


def rule_is_for_another_host(world: World) -> None:
    """A misspelt domain."""
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.uat.acme-preview.net"]}}]
    world.client("elbv2").modify_rule(RuleArn=world.resources["UatListenerRule"], Conditions=conditions)


def health_is_asked_for_elsewhere(world: World) -> None:
    """The proxy does not answer there, so it is taken for dead."""
    group = world.resources["ProxyTargetGroup"]
    world.client("elbv2").modify_target_group(TargetGroupArn=group, HealthCheckPath="/healthz")


def no_proxy_is_registered(world: World) -> None:
    """The load balancer knows nobody to forward to."""
    elbv2, group = world.client("elbv2"), world.resources["ProxyTargetGroup"]
    described = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    targets = [one["Target"] for one in described]
    elbv2.deregister_targets(TargetGroupArn=group, Targets=targets)
    world.undo.callback(lambda: elbv2.register_targets(TargetGroupArn=group, Targets=targets))


def proxy_is_open_to_everybody(world: World) -> None:
    """Whoever reaches the proxy's address passes the load balancer by."""
    _authorize(world, "ProxySecurityGroup", PROXY_PORT, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})


def load_balancer_lets_nothing_out(world: World) -> None:
    """Its own group keeps it from the proxy."""
    ec2, group = world.client("ec2"), world.resources["LoadBalancerSecurityGroup"]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    outward = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"]]
    ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=outward)


def agents_admit_another_group(world: World) -> None:
    """Another team's service reaches dev servers, past the proxy's access control."""
    _authorize(
        world, "AgentSecurityGroup", AGENT_PORT, {"UserIdGroupPairs": [{"GroupId": world.other.security_group_id}]}
    )


def agents_admit_nobody(world: World) -> None:
    """The proxy does not get through to any dev server."""
    revoke_ingress(world, "AgentSecurityGroup", "AgentIngress")


def security_group_is_left_behind(world: World) -> None:
    """It was made beside the stack's, by its name, and nothing has it."""
    group = world.client("ec2").describe_security_groups(GroupIds=[world.resources["ProxySecurityGroup"]])
    world.client("ec2").create_security_group(
        GroupName=f"{world.stack}-old", Description="Before the move", VpcId=group["SecurityGroups"][0]["VpcId"]
    )


def target_group_is_left_behind(world: World) -> None:
    """No load balancer forwards to it."""
    world.client("elbv2").create_target_group(Name=f"{world.stack}-old", Protocol="HTTP", Port=PROXY_PORT)


def rule_is_left_on_another_load_balancer(world: World) -> None:
    """Session URLs would show another team's service, if the record led there."""
    _create_rule(world, world.other.listener_arn, 10, [UAT_NAME], world.other.target_group_arn)


def _delete_record(world: World, name: str) -> None:
    records = world.client("route53").list_resource_record_sets(HostedZoneId=world.zone_id)["ResourceRecordSets"]
    (record,) = (one for one in records if one["Name"].rstrip(".") == name)
    change_record(world, "DELETE", record)


def _create_rule(world: World, listener: str, priority: int, hosts: list[str], target_group: str) -> None:
    world.client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=priority,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": hosts}}],
        Actions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )


def _authorize(world: World, group: str, port: int, peers: dict[str, Any]) -> None:
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peers}
    world.client("ec2").authorize_security_group_ingress(GroupId=world.resources[group], IpPermissions=[permission])


VISITOR_PATH_FAULTS = (
    Fault(record_is_deleted, "dns-record", tuple(Mode)),
    Fault(certificate_has_expired, "certificate", tuple(Mode)),
    Fault(certificate_is_for_another_name, "certificate", tuple(Mode)),
    Fault(listener_has_another_certificate, "certificate", tuple(Mode)),
    Fault(listener_is_deleted, "listener", tuple(Mode)),
    Fault(rule_is_shadowed, "listener-rule", tuple(Mode)),
    Fault(rule_forwards_elsewhere, "listener-rule", tuple(Mode)),
    Fault(rule_is_for_another_host, "listener-rule", tuple(Mode)),
    Fault(health_is_asked_for_elsewhere, "target-group", tuple(Mode)),
    Fault(record_of_the_index_is_deleted, "dns-record", (Mode.EXISTING,)),
    Fault(certificate_lacks_the_index, "certificate", (Mode.EXISTING,)),
    Fault(rule_lacks_the_index, "listener-rule", (Mode.EXISTING,)),
    Fault(no_proxy_is_registered, "target-health", tuple(Mode)),
    Fault(proxy_is_open_to_everybody, "proxy-ingress", tuple(Mode)),
    Fault(load_balancer_lets_nothing_out, "proxy-ingress"),
    Fault(agents_admit_another_group, "agent-ingress", tuple(Mode)),
    Fault(agents_admit_nobody, "agent-ingress", tuple(Mode)),
    Fault(security_group_is_left_behind, "orphans", tuple(Mode)),
    Fault(target_group_is_left_behind, "orphans", tuple(Mode)),
    Fault(rule_is_left_on_another_load_balancer, "orphans", tuple(Mode)),
)

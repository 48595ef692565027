"""Do the security groups let visitors reach the load balancer, and the load balancer reach the proxy?

Checks the groups that the proxy's service actually has, which must be the stack's, and those of the load balancer in
use; without one, the group the template means to admit. The proxy's must admit TCP 8080 from the load balancer's, and
nothing else: no other group, no address range, no other port. The load balancer's must allow that traffic out; and
the stack's own must admit TCP 443 and 80 from VisitorCidr alone.

A group that admits the wrong source drops the traffic: targets time out, visitors wait and get 504. One that admits
more lets others bypass the load balancer. The template is the only place to change these rules:
LoadBalancerSecurityGroupId is the group to admit, VisitorCidr the visitors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.containers.proxy_service import ACTION as SERVICES_ACTION
from cloud_agent_doctor.containers.proxy_service import proxy_groups
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.load_balancer.in_use import (
    ACTIONS,
    LoadBalancer,
    intended_arn,
    load_balancer_in_use,
)
from cloud_agent_doctor.network.ingress import Connection, findings
from cloud_agent_doctor.network.rules import SecurityGroupRule, address_range, read_rules
from cloud_agent_doctor.network.security_groups import ACTION as GROUPS_ACTION
from cloud_agent_doctor.network.security_groups import security_group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_PORT = 8080
_VISITORS_PORTS = (443, 80)


def run(context: CheckContext) -> Iterator[Finding]:
    """Find what keeps visitors from the load balancer or it from the proxy, and who else gets in."""
    stack = context.stack
    groups, own_group = proxy_groups(context), stack.physical_id("ProxySecurityGroup")
    if set(groups) != {own_group}:
        yield _other_groups(context, groups, own_group)
    load_balancer = load_balancer_in_use(context)
    is_own = stack.owns_load_balancer and (load_balancer is None or load_balancer.arn == intended_arn(stack))
    declared = _declared(context)
    which = f"in use, {load_balancer.name}" if load_balancer else "that's gone"
    yield from findings(
        context,
        Connection(
            ports=(_PORT,),
            source=f"the load balancer {which}",
            source_groups=load_balancer.security_groups if load_balancer else (declared,),
            target="the proxy",
            target_groups=groups,
            declared=(declared,),
            ingress_ids=("ProxyIngress", "ProxySecurityGroup"),
            egress_ids=("LoadBalancerSecurityGroup",) if is_own else (),
            remediation=_remediation(context, load_balancer),
        ),
    )
    if is_own and load_balancer:
        yield from _visitors(context, load_balancer)


def _declared(context: CheckContext) -> str:
    """Return the group the template means to admit."""
    stack = context.stack
    if stack.owns_load_balancer:
        return stack.physical_id("LoadBalancerSecurityGroup")
    return stack.parameters["LoadBalancerSecurityGroupId"]


def _remediation(context: CheckContext, load_balancer: LoadBalancer | None) -> str:
    if load_balancer is None or _declared(context) in load_balancer.security_groups:
        return revert_drift(context.stack)
    of_it = " or ".join(load_balancer.security_groups)
    return f"Deploy with LoadBalancer=existing and LoadBalancerSecurityGroupId={of_it}, if visitors should use it."


def _other_groups(context: CheckContext, groups: tuple[str, ...], own_group: str) -> Finding:
    stack = context.stack
    service = stack.physical_id("ProxyService")
    return Finding(
        resource=service,
        problem=f"The proxy's service runs its tasks in {', '.join(groups) or 'no group'}; the stack's group "
        f"is {own_group}.",
        impact="Who can reach the proxy, and what it can reach, isn't what the template says.",
        remediation=revert_drift(stack),
        confirm=f"aws ecs describe-services --cluster {stack.physical_id('Cluster')} --services {service}",
        logical_ids=("ProxyService",),
    )


def _visitors(context: CheckContext, load_balancer: LoadBalancer) -> Iterator[Finding]:
    cidr = context.stack.parameters["VisitorCidr"]
    documents = [security_group(context, one) for one in load_balancer.security_groups]
    rules = read_rules(one for document in documents if document for one in document["IpPermissions"])
    shut = [port for port in _VISITORS_PORTS if not any(rule.admits(port) and rule.peer.holds(cidr) for rule in rules)]
    if shut:
        yield _visitors_finding(
            context,
            load_balancer,
            f"doesn't admit TCP {' and '.join(map(str, shut))} from {cidr} (parameter VisitorCidr)",
            "Visitors can't connect to session URLs.",
        )
    beyond = [rule for rule in rules if not _is_for_visitors(rule, cidr)]
    if beyond:
        more = "; ".join(f"{rule.what} from {rule.peer}" for rule in beyond)
        yield _visitors_finding(
            context,
            load_balancer,
            f"admits more than TCP 443 and 80 from {cidr} (parameter VisitorCidr): {more}",
            "The load balancer is open to more than the intended visitors.",
        )


def _is_for_visitors(rule: SecurityGroupRule, cidr: str) -> bool:
    return any(rule.is_just(port, [address_range(cidr)]) for port in _VISITORS_PORTS)


def _visitors_finding(context: CheckContext, load_balancer: LoadBalancer, problem: str, impact: str) -> Finding:
    groups = load_balancer.security_groups
    return Finding(
        resource=", ".join(groups),
        problem=f"{', '.join(groups)} of the load balancer {load_balancer.name} {problem}.",
        impact=impact,
        remediation=f"Deploy with the VisitorCidr you want. {revert_drift(context.stack)}",
        confirm=f"aws ec2 describe-security-groups --group-ids {' '.join(groups)}",
        logical_ids=("LoadBalancerSecurityGroup",),
    )


CHECK = Check(
    name="proxy-ingress",
    question="Do the security groups let visitors reach the load balancer, and it the proxy?",
    run=run,
    actions=(*ACTIONS, GROUPS_ACTION, SERVICES_ACTION),
)

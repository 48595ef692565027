"""Do the security groups let visitors in to the load balancer, and the load balancer to the proxy?

Looks at the groups that the proxy's service really has, which must be the stack's, and at those that the load balancer
in use really has; while there is none, at the one that the template means to admit. The proxy's must admit tcp 8080
from the load balancer's, and nothing else: no other group, no range of addresses, no other port. The load balancer's
must let that out; and the stack's own must admit tcp 443 and 80 from VisitorCidr alone.

A group that admits the wrong one drops what is sent: targets time out, visitors wait and see 504. One that admits more
lets others past the load balancer. Rules come from the template alone: LoadBalancerSecurityGroupId says which group is
admitted, VisitorCidr who may come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.containers.proxy_tasks import ACTION as SERVICES_ACTION
from cloud_agent_doctor.containers.proxy_tasks import proxy_groups
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.load_balancer.load_balancer_in_use import (
    ACTIONS,
    LoadBalancer,
    intended_arn,
    load_balancer_in_use,
)
from cloud_agent_doctor.network.admission import Passage, findings
from cloud_agent_doctor.network.passage import Opening, address_range, openings
from cloud_agent_doctor.network.security_groups import ACTION as GROUPS_ACTION
from cloud_agent_doctor.network.security_groups import security_group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

_PORT = 8080
_VISITORS_PORTS = (443, 80)


def examine(examination: Examination) -> Iterator[Finding]:
    """Find what keeps visitors from the load balancer or it from the proxy, and who else gets in."""
    stack = examination.stack
    groups, own_group = proxy_groups(examination), stack.physical_id("ProxySecurityGroup")
    if set(groups) != {own_group}:
        yield _other_groups(examination, groups, own_group)
    load_balancer = load_balancer_in_use(examination)
    is_own = stack.owns_load_balancer and (load_balancer is None or load_balancer.arn == intended_arn(stack))
    declared = _declared(examination)
    which = f"in use, {load_balancer.name}" if load_balancer else "that is gone"
    yield from findings(
        examination,
        Passage(
            port=_PORT,
            source=f"the load balancer {which}",
            source_groups=load_balancer.security_groups if load_balancer else (declared,),
            target="the proxy",
            target_groups=groups,
            declared=(declared,),
            ingress_ids=("ProxyIngress", "ProxySecurityGroup"),
            egress_ids=("LoadBalancerSecurityGroup",) if is_own else (),
            mend=_mend(examination, load_balancer),
        ),
    )
    if is_own and load_balancer:
        yield from _visitors(examination, load_balancer)


def _declared(examination: Examination) -> str:
    """Return the group that the template means to admit."""
    stack = examination.stack
    if stack.owns_load_balancer:
        return stack.physical_id("LoadBalancerSecurityGroup")
    return stack.parameters["LoadBalancerSecurityGroupId"]


def _mend(examination: Examination, load_balancer: LoadBalancer | None) -> str:
    if load_balancer is None or _declared(examination) in load_balancer.security_groups:
        return revert(examination.stack)
    of_it = " or ".join(load_balancer.security_groups)
    return f"Deploy with LoadBalancer=existing and LoadBalancerSecurityGroupId={of_it}, if visitors are to come by it."


def _other_groups(examination: Examination, groups: tuple[str, ...], own_group: str) -> Finding:
    stack = examination.stack
    service = stack.physical_id("ProxyService")
    return Finding(
        resource=service,
        problem=f"The proxy's service puts its tasks into {', '.join(groups) or 'no group'}; the stack's group "
        f"is {own_group}.",
        meaning="Who reaches the proxy, and whom it reaches, is not what the template says.",
        mend=revert(stack),
        confirm=f"aws ecs describe-services --cluster {stack.physical_id('Cluster')} --services {service}",
        logical_ids=("ProxyService",),
    )


def _visitors(examination: Examination, load_balancer: LoadBalancer) -> Iterator[Finding]:
    cidr = examination.stack.parameters["VisitorCidr"]
    documents = [security_group(examination, one) for one in load_balancer.security_groups]
    rules = openings(one for document in documents if document for one in document["IpPermissions"])
    shut = [port for port in _VISITORS_PORTS if not any(rule.admits(port) and rule.peer.holds(cidr) for rule in rules)]
    if shut:
        yield _visitors_finding(
            examination,
            load_balancer,
            f"does not admit tcp {' and '.join(map(str, shut))} from {cidr} (parameter VisitorCidr)",
            "Visitors cannot connect to the session URLs.",
        )
    beyond = [rule for rule in rules if not _is_for_visitors(rule, cidr)]
    if beyond:
        more = "; ".join(f"{rule.what} from {rule.peer}" for rule in beyond)
        yield _visitors_finding(
            examination,
            load_balancer,
            f"admits more than tcp 443 and 80 from {cidr} (parameter VisitorCidr): {more}",
            "Others than the visitors who are meant reach the load balancer.",
        )


def _is_for_visitors(rule: Opening, cidr: str) -> bool:
    return any(rule.is_just(port, [address_range(cidr)]) for port in _VISITORS_PORTS)


def _visitors_finding(examination: Examination, load_balancer: LoadBalancer, problem: str, meaning: str) -> Finding:
    groups = load_balancer.security_groups
    return Finding(
        resource=", ".join(groups),
        problem=f"{', '.join(groups)} of the load balancer {load_balancer.name} {problem}.",
        meaning=meaning,
        mend=f"Deploy with the VisitorCidr that is meant. {revert(examination.stack)}",
        confirm=f"aws ec2 describe-security-groups --group-ids {' '.join(groups)}",
        logical_ids=("LoadBalancerSecurityGroup",),
    )


CHECK = Check(
    name="proxy-ingress",
    question="Do the security groups let visitors in to the load balancer, and it to the proxy?",
    examine=examine,
    actions=(*ACTIONS, GROUPS_ACTION, SERVICES_ACTION),
)

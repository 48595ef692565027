"""Does the agents' security group keep them from what AgentEgress closes?

Left out with AgentEgress=open. Otherwise no rule of the agents' group may let out to addresses of the VPC (VpcCidr),
but for AgentPrivateCidr. With listed it must also let out TCP 3128 to the egress proxy's group, and that must admit the
agents on it and nobody else.

With a way into the VPC, whoever steers a session reaches what else is there. Without one to the egress proxy agents
reach nothing, and sessions fail as they start. The template is the only place to change these rules; but a VpcCidr of
public addresses is among those that it lets agents reach with internet, and only a network ACL can deny it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.network.ingress import judge
from cloud_agent_doctor.network.rules import address_range, allows_egress, group, read_rules
from cloud_agent_doctor.network.security_groups import ACTION as GROUPS_ACTION
from cloud_agent_doctor.network.security_groups import security_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.network.rules import SecurityGroupRule

    Document = dict[str, Any]

_PORT = 3128
_NO_WAY_OUT = "Agents reach nothing, and sessions fail as they start."


def run(context: CheckContext) -> Iterator[Finding]:
    """Find what agents reach in the VPC, and what keeps them from the egress proxy.

    Raises:
        NotApplicableError: AgentEgress is open.
    """
    stack = context.stack
    egress = stack.parameters.get("AgentEgress", "open")
    if egress == "open":
        raise NotApplicableError("AgentEgress is open")
    agents = stack.physical_id("AgentSecurityGroup")
    document = security_group(context, agents)
    if document is None:  # agent-ingress reports it
        return
    ways_in = _ways_into_the_vpc(context, read_rules(document["IpPermissionsEgress"]))
    if ways_in:
        yield _finding(
            context,
            "AgentSecurityGroup",
            f"lets out to addresses of the VPC with AgentEgress={egress}: {'; '.join(ways_in)}",
            "Whoever steers a session reaches what else is in the VPC.",
        )
    if stack.lists_egress:
        yield from _to_the_egress_proxy(context, agents, document["IpPermissionsEgress"])


def _ways_into_the_vpc(context: CheckContext, rules: Iterable[SecurityGroupRule]) -> list[str]:
    vpc, private = (context.stack.parameters.get(name, "") for name in ("VpcCidr", "AgentPrivateCidr"))
    excepted = {address_range(private)} if private else set()
    return [f"{rule.what} to {rule.peer}" for rule in rules if rule.peer.meets(vpc) and rule.peer not in excepted]


def _to_the_egress_proxy(context: CheckContext, agents: str, permissions: list[Document]) -> Iterator[Finding]:
    stack = context.stack
    proxy, vpc = stack.physical_id("EgressProxySecurityGroup"), stack.parameters["VpcCidr"]
    if not allows_egress(permissions, _PORT, proxy, vpc):
        yield _finding(context, "AgentSecurityGroup", f"lets no TCP {_PORT} out to the egress proxy", _NO_WAY_OUT)
    document = security_group(context, proxy)
    if document is None:
        yield _finding(context, "EgressProxySecurityGroup", "is gone", _NO_WAY_OUT)
        return
    ingress = judge(read_rules(document["IpPermissions"]), [_PORT], [group(agents)], [], vpc)
    if ingress.closed:
        problem = f"doesn't admit TCP {_PORT} from the agents"
        yield _finding(context, "EgressProxySecurityGroup", problem, _NO_WAY_OUT, "EgressProxyIngress")
    others = [f"{rule.what} from {rule.peer}" for rule in (*ingress.instead, *ingress.beyond)]
    if others:
        problem = f"admits more than the agents on TCP {_PORT}: {'; '.join(others)}"
        impact = "Others in the VPC reach what agents may reach."
        yield _finding(context, "EgressProxySecurityGroup", problem, impact, "EgressProxyIngress")


def _finding(context: CheckContext, logical_id: str, problem: str, impact: str, *others: str) -> Finding:
    group_id = context.stack.physical_id(logical_id)
    return Finding(
        resource=group_id,
        problem=f"{logical_id}, {group_id}, {problem}.",
        impact=impact,
        remediation=revert_drift(context.stack),
        confirm=f"aws ec2 describe-security-groups --group-ids {group_id}",
        logical_ids=(logical_id, *others),
    )


CHECK = Check(
    name="agent-egress",
    question="Do the security groups keep agents from what AgentEgress closes?",
    run=run,
    actions=(GROUPS_ACTION,),
)

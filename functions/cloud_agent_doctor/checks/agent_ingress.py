"""Do the security groups let the proxy reach the dev servers, and nobody else?

Checks the agents' security group: it must admit TCP 3000 and 23300 from the groups the proxy's service actually has,
and nothing else. The proxy's group must allow that traffic out. The second port is that of previews where another of
the repository's servers has the first.

If it's closed, the proxy tells visitors that the dev server isn't responding. If it's open to more, agents and others
in the VPC reach a session's dev server without going through the proxy, which checks who may see it. The template is
the only place to change these rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.containers.proxy_service import ACTION as SERVICES_ACTION
from cloud_agent_doctor.containers.proxy_service import proxy_groups
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import revert_drift
from cloud_agent_doctor.network.ingress import Connection, findings
from cloud_agent_doctor.network.security_groups import ACTION as GROUPS_ACTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.findings import Finding

_PORTS = (3000, 23300)


def run(context: CheckContext) -> Iterator[Finding]:
    """Find what keeps the proxy from reaching the agents, and who else can reach them."""
    stack = context.stack
    yield from findings(
        context,
        Connection(
            ports=_PORTS,
            source="the proxy",
            source_groups=proxy_groups(context),
            target="the agents",
            target_groups=(stack.physical_id("AgentSecurityGroup"),),
            declared=(stack.physical_id("ProxySecurityGroup"),),
            ingress_ids=("AgentIngress", "AgentSecondIngress", "AgentSecurityGroup"),
            egress_ids=("ProxySecurityGroup",),
            remediation=revert_drift(stack),
        ),
    )


CHECK = Check(
    name="agent-ingress",
    question="Do the security groups let the proxy reach the dev servers?",
    run=run,
    actions=(GROUPS_ACTION, SERVICES_ACTION),
)

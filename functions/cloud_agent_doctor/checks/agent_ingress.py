"""Do the security groups let the proxy through to the dev servers, and nobody else?

Looks at the agents' security group: it must admit tcp 3000 from the groups that the proxy's service really has, and
nothing else. The proxy's must let that out.

When it is shut, the proxy answers visitors that the dev server does not answer. When it is open to more, agents and
others in the VPC reach a session's dev server past the proxy, which asks who may see it. Rules come from the template
alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.containers.proxy_tasks import ACTION as SERVICES_ACTION
from cloud_agent_doctor.containers.proxy_tasks import proxy_groups
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.network.admission import Passage, findings
from cloud_agent_doctor.network.security_groups import ACTION as GROUPS_ACTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination
    from cloud_agent_doctor.engine.findings import Finding

_PORT = 3000


def examine(examination: Examination) -> Iterator[Finding]:
    """Find what keeps the proxy from the agents, and who else reaches them."""
    stack = examination.stack
    yield from findings(
        examination,
        Passage(
            port=_PORT,
            source="the proxy",
            source_groups=proxy_groups(examination),
            target="the agents",
            target_groups=(stack.physical_id("AgentSecurityGroup"),),
            declared=(stack.physical_id("ProxySecurityGroup"),),
            ingress_ids=("AgentIngress", "AgentSecurityGroup"),
            egress_ids=("ProxySecurityGroup",),
            mend=revert(stack),
        ),
    )


CHECK = Check(
    name="agent-ingress",
    question="Do the security groups let the proxy through to the dev servers?",
    examine=examine,
    actions=(GROUPS_ACTION, SERVICES_ACTION),
)

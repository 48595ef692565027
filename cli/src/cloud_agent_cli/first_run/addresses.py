"""Do the agents' security groups let out what the parameters name?

Only with AgentEgress=open do agents reach port 80. A rule of the template compares whole values, so that it can't tell
http from https (AWS CloudFormation Template Reference, "Rule functions").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_IMPACTS = {
    "GitHubUrl": "No session can clone its branch.",
    "GitHubApiUrl": "Claude's requests of GitHub's API fail.",
    "AnthropicBaseUrl": "Every session's first turn fails.",
}


def run(context: CheckContext) -> Iterator[Finding]:
    """Find the addresses without TLS, where agents reach port 443 alone."""
    parameters = context.stack.parameters
    egress = parameters["AgentEgress"]
    if egress == "open":
        return
    for name, impact in _IMPACTS.items():
        if parameters[name].startswith("http://"):
            yield Finding(
                resource=name,
                problem=f"{name}={parameters[name]} has port 80, and with AgentEgress={egress} agents reach 443 only.",
                impact=impact,
                remediation=f"Deploy with an https address as {name}, or with AgentEgress=open.",
                confirm="docs/egress.md",
            )


CHECK = Check(
    name="addresses",
    question="Do the agents' security groups let out what the parameters name?",
    run=run,
    actions=(),
)

"""Do the agents' security groups let out to AnthropicBaseUrl?

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

_NAME = "AnthropicBaseUrl"


def run(context: CheckContext) -> Iterator[Finding]:
    """Find an address without TLS, where agents reach port 443 alone."""
    egress, url = (context.stack.parameters[name] for name in ("AgentEgress", _NAME))
    if egress != "open" and url.startswith("http://"):
        yield Finding(
            resource=_NAME,
            problem=f"{_NAME}={url} has port 80, and with AgentEgress={egress} agents reach 443 only.",
            impact="Every session's first turn fails.",
            remediation=f"Deploy with an https address as {_NAME}, or with AgentEgress=open.",
            confirm="docs/egress.md",
        )


CHECK = Check(
    name="addresses",
    question="Do the agents' security groups let out to AnthropicBaseUrl?",
    run=run,
    actions=(),
)

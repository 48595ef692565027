"""Does Step Functions accept the workflow's definition?

Asks Step Functions itself about the definition that this version deploys, with examples in the place of what the
template substitutes. Among what it finds are parameters that an integration doesn't support and expressions that
aren't JSONata.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_doctor.checks.state_machine import repository_definition
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack


def run(context: CheckContext) -> Iterator[Finding]:
    """Find what Step Functions calls an error."""
    response = context.aws.describe(
        "stepfunctions",
        "validate_state_machine_definition",
        definition=example_definition(context.stack),
        type="STANDARD",
        severity="ERROR",
    )
    problems = [
        f"{one['message']} ({one['code']} at {one.get('location', 'the definition')})"
        for one in (response or {}).get("diagnostics", [])
    ]
    if problems:
        yield Finding(
            resource="statemachine/session.asl.json",
            problem=f"Step Functions doesn't accept the workflow: {'; '.join(problems)}",
            impact="The deployment fails at the state machine, or every session at that state.",
            remediation="Deploy a version whose definition is accepted, and report this as a bug with these lines.",
            confirm="aws stepfunctions validate-state-machine-definition --definition "
            "file://statemachine/session.asl.json",
        )


def example_definition(stack: Stack) -> str:
    """Return the definition as it would be deployed, with examples of what only a deployed stack knows."""
    arn = f"arn:{stack.partition}:{{}}:{stack.region}:{stack.account}:{{}}"

    def example(match: re.Match[str]) -> str:
        name = match[1]
        if name.endswith("FunctionArn"):
            return arn.format("lambda", f"function:{stack.name}-{name.removesuffix('Arn')}")
        if name.endswith("ClusterArn"):
            return arn.format("ecs", f"cluster/{stack.name}")
        return "60" if name.endswith("Seconds") else stack.parameters.get(name, name)

    return re.sub(r"\$\{(\w+)\}", example, repository_definition())


CHECK = Check(
    name="workflow-definition",
    question="Does Step Functions accept the workflow's definition?",
    run=run,
    actions=("states:ValidateStateMachineDefinition",),
)

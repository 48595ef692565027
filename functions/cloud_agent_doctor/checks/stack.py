"""Does the stack exist, and has its last change completed?

Checks the stack's status. While CloudFormation changes a stack, its resources may or may not exist; after a failed
rollback nobody can deploy a fix until the rollback is completed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_SETTLED = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "IMPORT_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}


def missing(stack_name: str) -> Finding:
    """Return the finding that there is no such stack."""
    return Finding(
        resource=stack_name,
        problem=f"There is no stack {stack_name} in this account and region.",
        impact="Nothing works: no webhook, no session, no session URL.",
        remediation="Deploy it with `sam deploy` as in docs/deploy.md, or pass the right --stack and --region.",
        confirm=f"aws cloudformation describe-stacks --stack-name {stack_name}",
    )


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a stack that's changing, or whose last change failed."""
    stack = context.stack
    if stack.status in _SETTLED:
        return
    changing = stack.status.endswith("_IN_PROGRESS")
    yield Finding(
        resource=stack.arn,
        problem=f"The stack {stack.name} is in status {stack.status}; settled would be {', '.join(sorted(_SETTLED))}.",
        impact="What the other checks report may change within minutes."
        if changing
        else "What runs is what's left of a failed change, and the next deployment is refused.",
        remediation="Wait for the change to complete, then run the doctor again."
        if changing
        else "Deploy again once the reason in the stack's events is fixed; after UPDATE_ROLLBACK_FAILED continue the "
        "rollback first (docs/runbook.md#stack).",
        confirm=f"aws cloudformation describe-stack-events --stack-name {stack.name} --max-items 20",
    )


CHECK = Check(
    name="stack",
    question="Does the stack exist, and has its last change completed?",
    run=run,
    actions=("cloudformation:DescribeStacks", "cloudformation:ListStackResources"),
)

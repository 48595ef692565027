"""Is the stack there, and has its last change come to an end?

Looks at the stack's status. While CloudFormation changes a stack its parts may be there or not; after a failed
rollback nobody can deploy a mend until it is brought to an end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

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
        meaning="Nothing answers: no webhook, no session, no session URL.",
        mend="Deploy it: `sam deploy` as in docs/deploy.md; or name the right stack with --stack, and its region.",
        confirm=f"aws cloudformation describe-stacks --stack-name {stack_name}",
    )


def examine(examination: Examination) -> Iterator[Finding]:
    """Find a stack that is changing, or whose last change failed."""
    stack = examination.stack
    if stack.status in _SETTLED:
        return
    changing = stack.status.endswith("_IN_PROGRESS")
    yield Finding(
        resource=stack.arn,
        problem=f"The stack {stack.name} is in status {stack.status}; settled would be {', '.join(sorted(_SETTLED))}.",
        meaning="What the other checks say may change with the next minute."
        if changing
        else "What runs is what is left of a change that failed, and the next deployment is refused.",
        mend="Wait for the change to end, and look again."
        if changing
        else "Deploy again once the reason in the stack's events is removed; after UPDATE_ROLLBACK_FAILED continue the "
        "rollback first (docs/runbook.md#stack).",
        confirm=f"aws cloudformation describe-stack-events --stack-name {stack.name} --max-items 20",
    )


CHECK = Check(
    name="stack",
    question="Is the stack there and settled?",
    examine=examine,
    actions=("cloudformation:DescribeStacks", "cloudformation:ListStackResources"),
)

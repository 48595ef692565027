"""Mends that several checks name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.examination import Stack


def revert(stack: Stack) -> str:
    """Return how to revert what was changed or deleted by hand: an ordinary deployment sees no change."""
    return (
        f"Bring {stack.name} back to its template with a drift-aware change set, `aws cloudformation create-change-set "
        f"--stack-name {stack.name} --deployment-mode REVERT_DRIFT ...` as in docs/runbook.md#stack-drift."
    )

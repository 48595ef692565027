"""What the doctor reports: how each check went, and for each problem its impact and its remediation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.stack import Stack


@dataclass(frozen=True)
class Finding:
    """One problem."""

    resource: str
    """What it's about: a physical id, an ARN or a name that the console's search finds."""
    problem: str
    """What is, with the values seen, and what should be."""
    impact: str
    """What a visitor, or whoever labels an issue, notices."""
    remediation: str
    """A change of the template or its parameters, or an import; never a manual change."""
    confirm: str
    """A read-only command that shows whether the problem is fixed."""
    logical_ids: tuple[str, ...] = ()
    """The stack's resources this finding covers, so that nothing is reported twice."""


class Status(StrEnum):
    """How a check went."""

    HEALTHY = "healthy"
    BROKEN = "broken"
    SKIPPED = "skipped"  # an earlier hop is broken: this one could only repeat it
    NOT_APPLICABLE = "not applicable"
    UNKNOWN = "unknown"  # something it needs could not be read


@dataclass(frozen=True)
class Outcome:
    """How one check went."""

    check: str
    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    """Why it was skipped, doesn't apply, or could not be completed."""
    suppressed: tuple[Finding, ...] = ()
    """Findings left out because an earlier one covers the same resource."""
    warnings: tuple[Finding, ...] = ()
    """What breaks nothing, and had better be changed."""


@dataclass(frozen=True)
class Report:
    """One run over one stack; the outcomes are in the order of the path."""

    stack: str
    outcomes: tuple[Outcome, ...]

    @property
    def broken(self) -> tuple[Outcome, ...]:
        """The hops with findings, the first on the path first."""
        return tuple(outcome for outcome in self.outcomes if outcome.findings)

    @property
    def unknown(self) -> tuple[Outcome, ...]:
        """The checks that could not be completed."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is Status.UNKNOWN)

    @property
    def finding_count(self) -> int:
        """How many problems there are."""
        return sum(len(outcome.findings) for outcome in self.outcomes)

    @property
    def warning_count(self) -> int:
        """How many warnings there are."""
        return sum(len(outcome.warnings) for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """0 all checks passed, 1 problems found, 2 none found but not everything could be checked; warnings or not."""
        if self.finding_count:
            return 1
        return 2 if self.unknown else 0

    def as_document(self) -> dict[str, Any]:
        """Return the report as JSON has it; its names are those of this module."""
        return {
            "stack": self.stack,
            "healthy": self.exit_code == 0,
            "first_broken": self.broken[0].check if self.broken else None,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }


def revert_drift(stack: Stack) -> str:
    """Return the remediation for what was changed or deleted manually: an ordinary deployment sees no change."""
    return (
        f"Revert {stack.name} to its template with a drift-aware change set, `aws cloudformation create-change-set "
        f"--stack-name {stack.name} --deployment-mode REVERT_DRIFT ...` as in docs/runbook.md#stack-drift."
    )

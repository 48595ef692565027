"""What an audit says: of each check how it went, and of each thing that is wrong what it is and what mends it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    resource: str
    """What it is about: a physical id, an ARN or a name that the console's search finds."""
    problem: str
    """What is so, with the values seen, and what should be."""
    meaning: str
    """What a visitor, or whoever labels an issue, notices of it."""
    mend: str
    """A change of the template or of its parameters, or an import; never a call by hand."""
    confirm: str
    """A command that changes nothing and shows whether it is mended."""
    logical_ids: tuple[str, ...] = ()
    """Those of the stack's resources that this finding speaks of, so that nothing is reported twice."""


class Status(StrEnum):
    """How a check went."""

    HEALTHY = "healthy"
    BROKEN = "broken"
    BEHIND = "behind"  # not judged: it would only repeat what an earlier hop has
    NOT_APPLICABLE = "not applicable"
    UNSEEN = "unseen"  # could not look


@dataclass(frozen=True)
class Outcome:
    """How one check went."""

    check: str
    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    """Why it was not judged, or not to the end."""
    told_before: tuple[Finding, ...] = ()
    """Findings left out, because an earlier one speaks of the same resource."""


@dataclass(frozen=True)
class Report:
    """One audit of one stack; the outcomes are in the order of the path."""

    stack: str
    outcomes: tuple[Outcome, ...]

    @property
    def broken(self) -> tuple[Outcome, ...]:
        """The hops with findings, the first on the path first."""
        return tuple(outcome for outcome in self.outcomes if outcome.findings)

    @property
    def unseen(self) -> tuple[Outcome, ...]:
        """The checks that could not look, or not at everything."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is Status.UNSEEN)

    @property
    def finding_count(self) -> int:
        """How many things are wrong."""
        return sum(len(outcome.findings) for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """0 healthy, 1 findings, 2 no findings and yet not everything could be looked at."""
        if self.finding_count:
            return 1
        return 2 if self.unseen else 0

    def as_document(self) -> dict[str, Any]:
        """Return the report for programs; its names are those of this module."""
        return {
            "stack": self.stack,
            "healthy": self.exit_code == 0,
            "first_broken": self.broken[0].check if self.broken else None,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

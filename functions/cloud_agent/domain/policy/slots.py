"""Who may run and who waits: so many sessions at once in all, so many of one repository. First come, first served."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class SlotLimits:
    """How many sessions may run at once, in all and of one repository."""

    sessions: int
    sessions_per_repository: int


@dataclass(frozen=True, order=True)
class Waiting:
    """A session in the queue; they sort by when they came.

    `not_before` is set when it had a slot and AWS had no capacity for its container: until then none is tried.
    """

    since: str
    session_id: str
    repo: str
    not_before: str = ""


@dataclass(frozen=True)
class Occupancy:
    """Every session from its claim to its close: those that hold a slot (id → repository), and the queue in order.

    `version` changes with every write, so that a decision made on an older state is refused.
    """

    live: dict[str, str]
    waiting: tuple[Waiting, ...]
    version: int

    def next_to_start(self, limits: SlotLimits, now: str, passed_over: Collection[str] = ()) -> Waiting | None:
        """Return the session that has waited longest among those that the limits allow to run.

        A repository at its own limit does not hold up the others behind it. A session that AWS has no capacity for
        does: there is none for them either.
        """
        if len(self.live) >= limits.sessions:
            return None
        running = Counter(self.live.values())
        first = next(
            (
                one
                for one in self.waiting
                if running[one.repo] < limits.sessions_per_repository and one.session_id not in passed_over
            ),
            None,
        )
        return first if first and first.not_before <= now else None

    @property
    def is_out_of_capacity(self) -> bool:
        """Whether somebody waits because AWS had no capacity for the container."""
        return any(one.not_before for one in self.waiting)

    def place_of(self, session_id: str) -> int | None:
        """Return the session's place in the queue, from 1; None when it does not wait."""
        ids = [one.session_id for one in self.waiting]
        return ids.index(session_id) + 1 if session_id in ids else None

"""When a session that nobody writes to and nobody visits ends, and when people are told that it will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

WARNED_BEFORE = timedelta(minutes=10)


class IdleStep(StrEnum):
    """What is due for a session now."""

    NOTHING = "nothing"
    WITHDRAW = "withdraw"  # the warning: somebody came back
    WARN = "warn"
    END = "end"


@dataclass(frozen=True)
class Idleness:
    """How long a running session has been idle, against how long it may be."""

    since: datetime
    limit: timedelta
    ends_at: datetime | None  # as people were told

    @classmethod
    def of(cls, session: Session, idle_minutes: int) -> Idleness:
        """Idle since the last report of its agent, word of a person or visit; at first, since it began to run."""
        moments = [session.created_at, session.last_active_at, session.last_visited_at]
        return cls(
            since=max(datetime.fromisoformat(moment) for moment in moments if moment),
            limit=timedelta(minutes=session.idle_minutes or idle_minutes),
            ends_at=datetime.fromisoformat(session.idle_ends_at) if session.idle_ends_at else None,
        )

    @property
    def minutes(self) -> int:
        """The limit as people read it."""
        return round(self.limit / timedelta(minutes=1))

    @property
    def warning(self) -> timedelta:
        """How long before the end people are told of it: half the limit, where ten minutes would be more."""
        return min(WARNED_BEFORE, self.limit / 2)

    @property
    def is_warned(self) -> bool:
        """Whether people were told of this very end; a warning from before the last activity speaks of another."""
        return self.ends_at is not None and self.ends_at >= self.since + self.limit

    def next_end(self, now: datetime) -> datetime:
        """Return the end to announce: at the limit, or, should that have passed unannounced, a warning later."""
        due = self.since + self.limit
        return due if now < due else now + self.warning

    def step(self, now: datetime, *, busy: bool) -> IdleStep:
        """Return what is due. Nobody's session ends without a warning, and none that is `busy` with a prompt."""
        if busy or now < self.since + self.limit - self.warning:
            return IdleStep.NOTHING if self.ends_at is None else IdleStep.WITHDRAW
        if self.ends_at is None or not self.is_warned:
            return IdleStep.WARN
        return IdleStep.END if now >= self.ends_at else IdleStep.NOTHING

"""An issue's sessions, between one that has ended, one that is live and one that has yet to begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_agent.domain.session.session import Session
    from cloud_agent.domain.session.session_request import RequestedSession


@dataclass(frozen=True)
class IssueSessions:
    """An issue's current session, if its row is still there, and the session that was requested last.

    Between the request and the claim of a session lie seconds, or minutes where it waits for one that is ending. One
    that was cancelled before it began never begins.
    """

    issue_number: int
    current: Session | None
    last: RequestedSession | None = None
    last_has_begun: bool = False
    last_is_cancelled: bool = False

    @property
    def next_is_starting(self) -> bool:
        """Whether a session without a row may begin at any moment."""
        if self.last is None or self.last_has_begun or self.last_is_cancelled:
            return False
        return self.last.may_still_begin()

    def requested_after(self, moment: datetime | None) -> bool:
        """Whether the last session was requested after this moment, so that what was meant then is out of date."""
        return moment is not None and self.last is not None and self.last.triggered_at > moment

    def may_be_requested_after(self, moment: datetime | None) -> bool:
        """Whether that can't be told: GitHub's times are whole seconds, and of old requests none is known."""
        return moment is not None and (self.last is None or self.last.triggered_at == moment)

    def triggered_by(self, identity: str) -> bool:
        """Whether the last session is the one that this delivery or comment requested, at an earlier try."""
        return self.last is not None and self.last.triggered_by == identity

    def of_pull_request(self) -> PullRequestSessions | None:
        """Return these as those of the pull request that the live session works on; None where none is live."""
        if self.current is None or not self.current.status.is_live:
            return None
        return PullRequestSessions(
            self.issue_number, self.current, self.last, self.last_has_begun, self.last_is_cancelled
        )

    def begun_before(self, session_id: str) -> str | None:
        """Return the issue's last session, other than this one, that ever began."""
        if self.current is not None and self.current.session_id != session_id:
            return self.current.session_id
        if self.last is None:
            return None
        if self.last_has_begun and self.last.session_id != session_id:
            return self.last.session_id
        return self.last.previous_session_id


@dataclass(frozen=True)
class PullRequestSessions(IssueSessions):
    """Those of the issue that a session's pull request is for: there, one is always current."""

    current: Session

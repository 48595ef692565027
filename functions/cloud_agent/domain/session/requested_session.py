"""The session that was asked for last on an issue: known before it is claimed, and when it never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from cloud_agent.domain.session.agents import Agent
from cloud_agent.domain.session.session import SessionId

# A start takes seconds, but a session that follows another waits up to ten minutes for that one's lock.
CLAIMED_WITHIN = timedelta(minutes=1)
LOCK_AWAITED = timedelta(minutes=10)


class RequestedSession(BaseModel):
    """Who asked for it (a delivery's id or a comment's identity), when GitHub saw that, and when it was passed on.

    One that is `called_off` was ended before it began, and never begins.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    session_id: SessionId
    agent: Agent = Agent.STANDARD
    follows: SessionId | None = None
    previous_session_id: SessionId | None = None
    asked_by: str
    asked_at: AwareDatetime
    requested_at: AwareDatetime
    called_off: bool = False

    def may_still_begin(self) -> bool:
        """Whether its execution may still be on the way to claiming the issue."""
        longest = CLAIMED_WITHIN + (LOCK_AWAITED if self.follows else timedelta())
        return not self.called_off and datetime.now(UTC) - self.requested_at < longest

"""Which session of an issue a delivery is about, between those that are over, live and not yet begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.errors import SessionNotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_agent.domain.session.requested_session import RequestedSession
    from cloud_agent.domain.session.session import Session


@dataclass(frozen=True)
class IssueSession:
    """An issue's current session, if its row is still there, and the session that was asked for last.

    Between the request and the claim of a session lie seconds, or minutes where it waits for one that is ending.
    """

    issue_number: int
    session: Session | None
    last: RequestedSession | None
    last_has_begun: bool

    @property
    def next_is_starting(self) -> bool:
        """Whether a session without a row may begin at any moment."""
        return self.last is not None and not self.last_has_begun and self.last.may_still_begin()

    def began_after(self, moment: datetime | None) -> bool:
        """Whether the last session was asked for after this moment, so that what was said then is out of date."""
        return moment is not None and self.last is not None and self.last.asked_at > moment

    def was_asked_for_by(self, identity: str) -> bool:
        """Whether the last session is the one that this delivery or comment asked for, at an earlier try."""
        return self.last is not None and self.last.asked_by == identity


def of_issue(table_name: str, repo: str, issue_number: int) -> IssueSession:
    """Return the issue's live session and the one asked for last."""
    table = SessionsTable(table_name)
    live_id = table.live_session_id(repo, issue_number)
    session = row_of(table, live_id) if live_id else None
    return _with_last(table_name, repo, issue_number, session)


def of_pull_request(table_name: str, repo: str, pull_number: int) -> IssueSession | None:
    """Return the pull request's session, or the newer live one of its issue; None where there is none any more."""
    table = SessionsTable(table_name)
    session_id = table.session_of_pull(repo, pull_number)
    session = row_of(table, session_id) if session_id else None
    if session is None:
        return None
    if not session.status.is_live:
        live_id = table.live_session_id(repo, session.issue_number)
        newer = row_of(table, live_id) if live_id else None
        if newer is not None and newer.pull_number in {None, pull_number}:  # it may have a pull request of its own
            session = newer
    return _with_last(table_name, repo, session.issue_number, session)


def row_of(table: SessionsTable, session_id: str) -> Session | None:
    """Return the session's row, if it has been claimed and has not expired."""
    try:
        return table.get(session_id)
    except SessionNotFoundError:
        return None


def _with_last(table_name: str, repo: str, issue_number: int, session: Session | None) -> IssueSession:
    last = RequestedSessions(table_name).last(repo, issue_number)
    has_begun = last is not None and (
        (session is not None and session.session_id == last.session_id)
        or row_of(SessionsTable(table_name), last.session_id) is not None
    )
    return IssueSession(issue_number, session, last, has_begun)

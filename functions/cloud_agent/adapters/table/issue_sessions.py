"""DynamoDB: which sessions an issue, a pull request or a branch has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.session.issue_sessions import IssueSessions, PullRequestSessions

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session
    from cloud_agent.domain.session.session_request import RequestedSession


def sessions_of_issue(table_name: str, repo: str, issue_number: int) -> IssueSessions:
    """Return the issue's live session and the one requested last."""
    table = SessionsTable(table_name)
    live_id = table.live_session_id(repo, issue_number)
    current = table.find(live_id) if live_id else None
    return IssueSessions(issue_number, current, *_last(table_name, repo, issue_number))


def sessions_of_pull(table_name: str, repo: str, pull_number: int) -> PullRequestSessions | None:
    """Return the pull request's session, or the newer live one of its issue, and the one requested last.

    None where the pull request has no session, or none any more.
    """
    table = SessionsTable(table_name)
    session_id = table.session_of_pull(repo, pull_number)
    session = table.find(session_id) if session_id else None
    if session is None:
        return None
    if not session.status.is_live:
        live_id = table.live_session_id(repo, session.issue_number)
        newer = table.find(live_id) if live_id else None
        if newer is not None and newer.pull_number in {None, pull_number}:  # it may have a pull request of its own
            session = newer
    return PullRequestSessions(session.issue_number, session, *_last(table_name, repo, session.issue_number))


def live_session_of_branch(table_name: str, repo: str, branch: str) -> Session | None:
    """Return the live session that works on a branch, if any."""
    table = SessionsTable(table_name)
    issue_number = table.issue_of_branch(repo, branch)
    session_id = None if issue_number is None else table.live_session_id(repo, issue_number)
    session = table.find(session_id) if session_id else None
    return session if session and session.status.is_live and session.branch == branch else None


def _last(table_name: str, repo: str, issue_number: int) -> tuple[RequestedSession | None, bool, bool]:
    """Return the session requested last, whether it has begun, and whether it was cancelled before that."""
    requested = RequestedSessions(table_name)
    last = requested.last(repo, issue_number)
    has_begun = last is not None and SessionsTable(table_name).find(last.session_id) is not None
    is_cancelled = last is not None and not has_begun and requested.is_cancelled(last.session_id)
    return last, has_begun, is_cancelled

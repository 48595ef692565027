"""DynamoDB: which sessions an issue, a pull request or a branch has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.table.branches import Branches
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.session.issue_sessions import IssueSessions, PullRequestSessions

if TYPE_CHECKING:
    from cloud_agent.domain.session.repository import GitHubRepository
    from cloud_agent.domain.session.session import Session
    from cloud_agent.domain.session.session_request import RequestedSession


def sessions_of_issue(table_name: str, repository: GitHubRepository, issue_number: int) -> IssueSessions:
    """Return the issue's live session and the one requested last.

    The session's row has the repository's name and installation from now on: it may have been renamed or transferred.
    """
    table = SessionsTable(table_name)
    live_id = table.live_session_id(repository.id, issue_number)
    current = table.find(live_id) if live_id else None
    if current is not None:
        current = table.record_repository(current, repository)
    return IssueSessions(issue_number, current, *_last(table_name, repository.id, issue_number))


def sessions_of_pull(table_name: str, repository: GitHubRepository, pull_number: int) -> PullRequestSessions | None:
    """Return the pull request's session, or the newer live one of its issue, and the one requested last.

    A session that was requested on the pull request counts before it's tied to it. None where the pull request has no
    session, or none any more. As with `sessions_of_issue`, the session's row has the repository's name and installation
    from now on.
    """
    table = SessionsTable(table_name)
    session_id = table.session_of_pull(repository.id, pull_number)
    session_id = session_id or table.live_session_id(repository.id, pull_number)
    session = table.find(session_id) if session_id else None
    if session is None:
        return None
    if not session.status.is_live:
        live_id = table.live_session_id(repository.id, session.issue_number)
        newer = table.find(live_id) if live_id else None
        if newer is not None and newer.pull_number in {None, pull_number}:  # it may have a pull request of its own
            session = newer
    session = table.record_repository(session, repository)
    return PullRequestSessions(session.issue_number, session, *_last(table_name, repository.id, session.issue_number))


def live_session_of_branch(table_name: str, repository: GitHubRepository, branch: str) -> Session | None:
    """Return the live session that works on a branch, if any; its row, too, has the repository's name from now on."""
    table = SessionsTable(table_name)
    issue_number = Branches(table_name).issue_of(repository.id, branch)
    session_id = None if issue_number is None else table.live_session_id(repository.id, issue_number)
    session = table.find(session_id) if session_id else None
    if session is None or not session.status.is_live or session.branch != branch:
        return None
    return table.record_repository(session, repository)


def _last(table_name: str, repository_id: int, issue_number: int) -> tuple[RequestedSession | None, bool, bool]:
    """Return the session requested last, whether it has begun, and whether it was cancelled before that."""
    requested = RequestedSessions(table_name)
    last = requested.last(repository_id, issue_number)
    has_begun = last is not None and SessionsTable(table_name).find(last.session_id) is not None
    is_cancelled = last is not None and not has_begun and requested.is_cancelled(last.session_id)
    return last, has_begun, is_cancelled

"""Where a session gets its id: the same delivery or comment always comes to the same session."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloud_agent.domain.session.session_request import RequestedSession, SessionRequest

if TYPE_CHECKING:
    from cloud_agent.domain.session.issue_sessions import IssueSessions

EXECUTION_NAME_LIMIT = 80  # characters, Step Functions' limit for an execution's name


def name_session(request: SessionRequest, sessions: IssueSessions, follows: str | None = None) -> RequestedSession:
    """Return the session that a request comes to, given the issue's sessions and the live one to follow, if any.

    - A request that is tried again comes to the same session, whatever has become of that one since.
    - Otherwise a session is named after what triggered it, unless it follows another.
    - Two requests to follow the same session come to one, with the agent of the first.
    - A follower that was cancelled never begins: the next one is named after it.
    """
    last, agent = sessions.last, request.agent
    session_id = session_id_for(request.repository_id, request.issue_number, request.triggered_by)
    if last is not None and sessions.triggered_by(request.triggered_by):
        session_id, agent, follows = last.session_id, last.agent, last.follows
    elif follows == session_id:  # tried again, when the session that it came to is ending
        follows = None
    elif follows is not None and last is not None and last.follows == follows and not sessions.last_is_cancelled:
        session_id, agent = last.session_id, last.agent
    elif follows is not None:
        before = last.session_id if last is not None and last.follows == follows else follows
        session_id = session_id_for(request.repository_id, request.issue_number, f"after:{before}")
    return RequestedSession(
        **request.model_dump(exclude={"agent"}),
        agent=agent,
        session_id=session_id,
        follows=follows,
        previous_session_id=sessions.begun_before(session_id),
        requested_at=datetime.now(UTC),
    )


def session_id_for(repository_id: int, issue_number: int, cause: str) -> str:
    """Eight hex characters of the repository, the issue and what the session is named after."""
    return hashlib.sha256(f"{repository_id}#{issue_number}#{cause}".encode()).hexdigest()[:8]


def execution_name(repo: str, issue_number: int, session_id: str) -> str:
    """`owner-repo-42-09e22a8b`: what the Step Functions console lists. Unique by the session id."""
    tail = f"-{issue_number}-{session_id}"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", repo)[: EXECUTION_NAME_LIMIT - len(tail)] + tail

"""What a team is told of its sessions away from GitHub: each event of a session once, as data."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from cloud_agent.domain.conversation.messages import shortened
from cloud_agent.domain.conversation.untrusted_text import without_invisible
from cloud_agent.domain.session.session import SessionStatus

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

VERSION = 1  # of the form; members may be added without another, as docs/deploy.md says
_TITLE_LIMIT = 150  # characters of an issue's title
_REASON_LIMIT = 300  # characters of why a session ended
_QUESTION_LIMIT = 500  # characters of what Claude asks


class NotificationFailedError(Exception):
    """A topic or a chat didn't take a notification. Nothing waits for it."""


class Event(StrEnum):
    """What there is to tell of a session."""

    READY = "ready"
    """The session runs and its link works; Claude has begun."""
    WAITING = "waiting"
    """Claude has replied to everything: it's somebody's turn."""
    QUESTION = "question"
    """The same, and Claude needs an answer to go on."""
    FAILED = "failed"
    ENDED = "ended"
    """Completed or stopped."""


class Issue(BaseModel):
    """The issue that a session works on."""

    model_config = ConfigDict(frozen=True)

    number: int
    title: str
    url: str


class PullRequest(BaseModel):
    """The session's pull request."""

    model_config = ConfigDict(frozen=True)

    number: int
    url: str


class Notification(BaseModel):
    """One event of one session. `id` is the same however often it's sent. No link in it holds a token.

    Title, question and reason are others' words, on one line each and shortened, but otherwise as they were written.
    """

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    id: str
    event: Event
    session: str
    status: SessionStatus
    repository: str
    issue: Issue
    pull_request: PullRequest | None
    url: str
    requested_by: str
    turns: int
    cost_usd: float
    question: str
    reason: str


def key_of(session: Session) -> str | None:
    """Return what names the latest event of a session, if it has come to one: each reply is one."""
    match session.status:
        case SessionStatus.FAILED:
            return Event.FAILED
        case SessionStatus.COMPLETED | SessionStatus.STOPPED:
            return Event.ENDED
        case SessionStatus.RUNNING if session.latest_turn_id:
            return f"{Event.QUESTION if session.question else Event.WAITING}:{session.latest_turn_id}"
        case SessionStatus.RUNNING if session.lifecycle_token:
            return Event.READY
    return None


def notification(session: Session, key: str, url: str) -> Notification:
    """Return what is told of the event by this key; `url` is the session's, without a token."""
    pull = session.pull_number and session.pull_url
    event = Event(key.partition(":")[0])
    return Notification(
        id=f"{session.session_id}:{key}",
        event=event,
        session=session.session_id,
        status=session.status,
        repository=session.repo,
        issue=Issue(number=session.issue_number, title=_line(session.issue_title, _TITLE_LIMIT), url=session.issue_url),
        pull_request=PullRequest(number=int(session.pull_number or 0), url=str(session.pull_url)) if pull else None,
        url=url,
        requested_by=session.requested_by,
        turns=session.turns,
        cost_usd=float(session.cost_usd),
        question=_line(session.question, _QUESTION_LIMIT) if event is Event.QUESTION else "",
        reason=_line(session.end_reason or "", _REASON_LIMIT),
    )


def _line(text: str, limit: int) -> str:
    return shortened(" ".join(without_invisible(text).split()), limit)

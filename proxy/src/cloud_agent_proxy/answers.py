"""What a visitor is told when there is no dev server to show: one writer per cause."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from cloud_agent_proxy.session import Session, SessionStatus

_REASON_LENGTH = 500


@dataclass(frozen=True)
class Answer:
    """One answer, in words; pages.py gives it its form."""

    status: HTTPStatus
    error: str
    """The cause as a program reads it."""
    title: str
    message: str
    what_to_do: str = ""
    reason: str = ""
    session_id: str = ""
    pull_request: str = ""
    retry_after_seconds: int | None = None
    """After how long asking again makes sense; the page does so by itself."""


def about(session: Session | None) -> Answer:
    """Say why the visitor is not shown this session's dev server."""
    if session is None:
        return unknown_session()
    match session.status:
        case SessionStatus.QUEUED:
            return _queued(session)
        case SessionStatus.STARTING:
            return _starting(session)
        case SessionStatus.RUNNING:
            return not_answering(session.id)
        case SessionStatus.COMPLETED | SessionStatus.STOPPED | SessionStatus.FAILED:
            return _ended(session)


def unknown_session() -> Answer:
    """No session has this name."""
    return Answer(
        status=HTTPStatus.NOT_FOUND,
        error="session_unknown",
        title="There is no such session",
        message="No session lives at this address. It may have been removed, or a character is missing.",
        what_to_do="The full address stands in the comment on the session's pull request.",
    )


def foreign_host() -> Answer:
    """The request is for a domain this proxy does not serve."""
    return Answer(
        status=HTTPStatus.MISDIRECTED_REQUEST,
        error="host_foreign",
        title="This is not the place for that address",
        message="This server shows sessions of Claude Cloud Agent only, and that address is not one of them.",
        what_to_do="The full address stands in the comment on the session's pull request.",
    )


_REFUSED = {
    HTTPStatus.BAD_REQUEST: (
        "This request cannot be understood",
        "Something in it is not as HTTP demands, or its headers are too large, so it was not passed on.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "This kind of request is not passed on",
        "Requests by TRACE, TRACK and CONNECT end here; every other method reaches the dev server.",
    ),
    HTTPStatus.REQUEST_TIMEOUT: (
        "The request took too long to arrive",
        "Its beginning was not here within ten seconds, so the connection was closed.",
    ),
    HTTPStatus.REQUEST_URI_TOO_LONG: (
        "The address is too long",
        "Path and query are longer than can be passed on to a dev server.",
    ),
}


def refused(status: HTTPStatus) -> Answer:
    """The request is one that no browser in good order sends.

    Raises:
        KeyError: there are no words for this status; there are for 400, 405, 408 and 414.
    """
    title, message = _REFUSED[status]
    return Answer(status=status, error=status.name.lower(), title=title, message=message)


def too_many_requests(retry_after_seconds: int) -> Answer:
    """More was asked than is good for the other visitors."""
    return Answer(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        error="too_many_requests",
        title="Too many requests",
        message="More requests came at once, or in a short time, than one session may send.",
        what_to_do="This page tries again by itself.",
        retry_after_seconds=retry_after_seconds,
    )


def table_unavailable(session_id: str) -> Answer:
    """Whether the session exists cannot be said at the moment."""
    return Answer(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="sessions_unavailable",
        title="Sessions cannot be looked up right now",
        message="The list of sessions is not answering, so whether this one exists cannot be said.",
        what_to_do="This page tries again by itself.",
        session_id=session_id,
        retry_after_seconds=5,
    )


def not_answering(session_id: str = "") -> Answer:
    """The session runs, but its dev server refuses connections, is silent or talks nonsense."""
    return Answer(
        status=HTTPStatus.BAD_GATEWAY,
        error="dev_server_not_answering",
        title="The dev server is not answering",
        message="The session is running, but its dev server does not answer. "
        "It may be restarting after a change, or the change broke it.",
        what_to_do="This page tries again by itself. A comment on the pull request can ask Claude to look.",
        session_id=session_id,
        retry_after_seconds=3,
    )


def _queued(session: Session) -> Answer:
    return Answer(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="session_queued",
        title="The session waits for a free slot",
        message="As many sessions as may run at once, in all or for this repository, are running. "
        "This one starts by itself when it is its turn; its place in the queue stands in its comment on GitHub.",
        what_to_do="This page turns into the session by itself.",
        session_id=session.id,
        pull_request=_web_link(session.pull_url),
        retry_after_seconds=2,
    )


def _starting(session: Session) -> Answer:
    return Answer(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="session_starting",
        title="The session is starting",
        message="Its container starts, clones the branch and brings up the dev server. That takes a minute or two.",
        what_to_do="This page turns into the session by itself.",
        session_id=session.id,
        pull_request=_web_link(session.pull_url),
        retry_after_seconds=2,
    )


def _ended(session: Session) -> Answer:
    words = {
        SessionStatus.COMPLETED: "The session is complete",
        SessionStatus.STOPPED: "The session was stopped",
        SessionStatus.FAILED: "The session has failed",
    }
    return Answer(
        status=HTTPStatus.GONE,
        error="session_ended",
        title=words[session.status],
        message="Its container and dev server are gone; what was pushed stays on its branch.",
        reason=session.end_reason[:_REASON_LENGTH],
        what_to_do="To go on, comment /restart on the pull request, "
        "or take the label off the issue and put it on again.",
        session_id=session.id,
        pull_request=_web_link(session.pull_url),
    )


def _web_link(url: str) -> str:
    """Return the address if a browser may safely be led to it, else nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc else ""

"""What a visitor is told when there is no dev server to show: one writer per cause."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from cloud_agent_proxy.session import Session, SessionStatus

_REASON_LENGTH = 500
_WHERE_THE_LINK_IS = "The session's link stands in its comment on the pull request."


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


def unknown_path() -> Answer:
    """The path is one of the proxy's own, and there is nothing at it."""
    return Answer(
        status=HTTPStatus.NOT_FOUND,
        error="path_unknown",
        title="There is nothing here",
        message="Paths that begin with /.uat/ belong to Claude Cloud Agent, and it has no such page.",
        what_to_do="The session itself is at the address without this path.",
    )


def signed_out() -> Answer:
    """The visitor has not shown that he may see the session, if there is one: nothing is said about it."""
    return Answer(
        status=HTTPStatus.UNAUTHORIZED,
        error="signed_out",
        title="Open this session by its link",
        message="Sessions are shown only to those who have their link. "
        "This browser has not opened it yet, or not since yesterday.",
        what_to_do=f"{_WHERE_THE_LINK_IS} Open it there once; after that, this address works too.",
    )


def link_no_longer_good() -> Answer:
    """The entry link is too old, damaged or another session's."""
    return Answer(
        status=HTTPStatus.UNAUTHORIZED,
        error="link_no_longer_good",
        title="This link is no longer good",
        message="It is too old, or it was not copied whole.",
        what_to_do=f"{_WHERE_THE_LINK_IS} The one that stands there now opens the session.",
    )


def other_session() -> Answer:
    """A page of another session sent the request, with the visitor's cookies of this one."""
    return Answer(
        status=HTTPStatus.FORBIDDEN,
        error="sent_by_another_session",
        title="Another session's page sent this request",
        message="Sessions are kept apart: a page of one may link to another, but not load from it or write to it.",
        what_to_do="Open the session's own address.",
    )


def too_many_requests(retry_after_seconds: int) -> Answer:
    """More was asked than is good for the other visitors."""
    seconds = "a second" if retry_after_seconds == 1 else f"{retry_after_seconds} seconds"
    return Answer(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        error="too_many_requests",
        title="Too many requests",
        message="More requests came in a short time than one visitor or one session may send.",
        what_to_do=f"Wait {seconds}, then load the page again.",
        retry_after_seconds=retry_after_seconds,
    )


def access_unchecked() -> Answer:
    """Whether the visitor may see the session could not be found out; he may well."""
    return Answer(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="access_unchecked",
        title="Your access cannot be checked right now",
        message="Too much is going on at once, so whether you may see this session could not be found out.",
        what_to_do="This page tries again by itself.",
        retry_after_seconds=5,
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

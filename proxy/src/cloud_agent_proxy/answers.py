"""What a visitor is told when there is no dev server to show: one writer per cause."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from cloud_agent_proxy.log_text import last_lines
from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.steps import Step, broken_hop, steps_of_probe, steps_of_start

_REASON_LENGTH = 500
_WHERE_THE_LINK_IS = "The session's link stands in its comment on the pull request."


@dataclass(frozen=True)
class Answer:
    """One answer, in words; pages.py gives it its form."""

    status: HTTPStatus
    error: str
    """The cause as a program reads it; empty when nothing is wrong."""
    title: str
    message: str
    what_to_do: str = ""
    reason: str = ""
    session_id: str = ""
    session_status: str = ""
    """The session's own status, where it is known."""
    steps: tuple[Step, ...] = ()
    """How far the session has come, or how far a request comes."""
    hop: str = ""
    """Where between proxy and dev server the way is broken, in a sentence."""
    log: str = ""
    """The last lines of the dev server's log."""
    pull_request: str = ""
    live: bool = False
    """Whether asking for the session again shows its dev server."""
    watched: bool = False
    """Whether the page keeps itself current and gives way to the session by itself."""
    retry_after_seconds: int | None = None
    """After how long asking again makes sense."""


def about(session: Session | None) -> Answer:
    """Say why the visitor is not shown this session's dev server."""
    if session is None:
        return unknown_session()
    match session.status:
        case SessionStatus.QUEUED if session.pull_number is not None:
            return _queued(session)
        case SessionStatus.QUEUED | SessionStatus.STARTING:
            return _starting(session)
        case SessionStatus.RUNNING:
            return not_answering(session)
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


def unknown_path() -> Answer:
    """Say that the path is one of the proxy's own, and there is nothing at it."""
    return Answer(
        status=HTTPStatus.NOT_FOUND,
        error="path_unknown",
        title="There is nothing here",
        message="Paths that begin with /.uat/ belong to Claude Cloud Agent, and it has no such page.",
        what_to_do="The session itself is at the address without this path.",
    )


def foreign_host() -> Answer:
    """Say that the request is for a domain this proxy does not serve."""
    return Answer(
        status=HTTPStatus.MISDIRECTED_REQUEST,
        error="host_foreign",
        title="This is not the place for that address",
        message="This server shows sessions of Claude Cloud Agent only, and that address is not one of them.",
        what_to_do="The full address stands in the comment on the session's pull request.",
    )


def signed_out() -> Answer:
    """Say that the visitor has not shown that he may see the session, if there is one: nothing is said about it."""
    return Answer(
        status=HTTPStatus.UNAUTHORIZED,
        error="signed_out",
        title="Open this session by its link",
        message="Sessions are shown only to those who have their link. "
        "This browser has not opened it yet, or not since yesterday.",
        what_to_do=f"{_WHERE_THE_LINK_IS} Open it there once; after that, this address works too.",
    )


def sign_in_needed() -> Answer:
    """Say that the visitor has not signed in with GitHub, or no longer may see the session, if there is one."""
    return Answer(
        status=HTTPStatus.UNAUTHORIZED,
        error="signed_out",
        title="Sign in to see this session",
        message="Sessions are shown to those who sign in with GitHub and may read the session's repository.",
        what_to_do="Open the session's address in a browser to sign in.",
    )


def link_no_longer_good() -> Answer:
    """Say that the entry link is too old, damaged or another session's."""
    return Answer(
        status=HTTPStatus.UNAUTHORIZED,
        error="link_no_longer_good",
        title="This link is no longer good",
        message="It is too old, or it was not copied whole.",
        what_to_do=f"{_WHERE_THE_LINK_IS} The one that stands there now opens the session.",
    )


def other_session() -> Answer:
    """Say that a page of another session sent the request, with the visitor's cookies of this one."""
    return Answer(
        status=HTTPStatus.FORBIDDEN,
        error="sent_by_another_session",
        title="Another session's page sent this request",
        message="Sessions are kept apart: a page of one may link to another, but not load from it or write to it.",
        what_to_do="Open the session's own address.",
    )


def forbidden(login: str = "") -> Answer:
    """GitHub says that who has signed in, `login` if known, may not read what the session works on."""
    who = f"You are signed in to GitHub as {login}" if login else "You are signed in to GitHub"
    return Answer(
        status=HTTPStatus.FORBIDDEN,
        error="forbidden",
        title="You may not see this session",
        message=f"{who}, but that account may not read the repository this session would belong to.",
        what_to_do="Ask somebody who looks after the repository for read access, or sign in with another account.",
    )


def github_not_answering() -> Answer:
    """Whether the visitor may see the session could not be asked; nothing was granted."""
    return Answer(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="github_not_answering",
        title="GitHub did not answer",
        message="Only GitHub knows whether you may see this session, and it cannot be asked at the moment.",
        what_to_do="Open the session's address again in half a minute.",
        retry_after_seconds=30,
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
        message="Whether you may see this session could not be found out in time.",
        what_to_do="Load the page again in a few seconds.",
        retry_after_seconds=5,
    )


_REFUSED = {
    HTTPStatus.BAD_REQUEST: (
        "This request cannot be understood",
        "Something in it is not as HTTP demands, or its headers are too large, so it was not passed on.",
        "Load the page again. If that does not help, clear this site's cookies.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "This kind of request is not passed on",
        "Requests by TRACE, TRACK and CONNECT end here; every other method reaches the dev server.",
        "",
    ),
    HTTPStatus.REQUEST_TIMEOUT: (
        "The request took too long to arrive",
        "Its beginning was not here within ten seconds, so the connection was closed.",
        "Check the connection, then load the page again.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "What was sent is too large",
        "The request is larger than can be passed on to a dev server.",
        "Send less at once.",
    ),
    HTTPStatus.REQUEST_URI_TOO_LONG: (
        "The address is too long",
        "Path and query are longer than can be passed on to a dev server.",
        "Open the session's start page. If the app wrote this address, it should send less in it.",
    ),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "The request's headers are too large",
        "Most often that is because of too many cookies.",
        "Clear this site's cookies, then open the session by its link again.",
    ),
}


def refused(status: HTTPStatus) -> Answer:
    """Say that the request is one that no browser in good order sends.

    Raises:
        KeyError: there are no words for this status; there are for 400, 405, 408, 413, 414 and 431.
    """
    title, message, what_to_do = _REFUSED[status]
    return Answer(status=status, error=status.name.lower(), title=title, message=message, what_to_do=what_to_do)


def table_unavailable(session_id: str) -> Answer:
    """Whether the session exists cannot be said at the moment."""
    return Answer(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="sessions_unavailable",
        title="Sessions cannot be looked up right now",
        message="The list of sessions is not answering, so whether this one exists cannot be said.",
        what_to_do="This page tries again by itself.",
        session_id=session_id,
        watched=True,
        retry_after_seconds=5,
    )


def not_answering(session: Session | None = None, finding: Finding | None = None) -> Answer:
    """Say that the session runs, but its dev server refuses connections, is silent or talks nonsense.

    Without a finding, and for the page that HAProxy serves for every session, the cause is still to be found out.
    """
    steps = steps_of_probe(finding, session.port if session else None)
    return Answer(
        status=HTTPStatus.BAD_GATEWAY,
        error="dev_server_not_answering",
        title="The dev server is not answering",
        message="The session is running, but its dev server does not answer. "
        "It may be restarting after a change, or the change broke it.",
        what_to_do="This page gives way to the session as soon as it answers again. "
        "A comment on the pull request can ask Claude to look.",
        session_id=session.id if session else "",
        session_status=SessionStatus.RUNNING,
        steps=steps,
        hop=broken_hop(steps),
        log=last_lines(session.dev_server.log) if session else "",
        pull_request=_web_link(session.pull_url) if session else "",
        watched=True,
        retry_after_seconds=2,
    )


def answering(session: Session) -> Answer:
    """Say that the session's dev server answers: whoever waits for it need wait no longer."""
    return Answer(
        status=HTTPStatus.OK,
        error="",
        title="The session is live",
        message="Its dev server answers.",
        session_id=session.id,
        session_status=session.status,
        steps=steps_of_probe(Finding.ANSWERS),
        pull_request=_web_link(session.pull_url),
        live=True,
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
        session_status=session.status,
        steps=steps_of_start(session),
        pull_request=_web_link(session.pull_url),
        watched=True,
        retry_after_seconds=2,
    )


def _starting(session: Session) -> Answer:
    return Answer(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="session_starting",
        title="The session is starting",
        message="It gets a branch, a pull request and a container, which brings up the dev server.",
        what_to_do="This page turns into the session by itself.",
        session_id=session.id,
        session_status=session.status,
        steps=steps_of_start(session),
        log=last_lines(session.dev_server.log),
        pull_request=_web_link(session.pull_url),
        watched=True,
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
        session_status=session.status,
        pull_request=_web_link(session.pull_url),
    )


def _web_link(url: str) -> str:
    """Return the address if a browser may safely be led to it, else nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc else ""

"""The pages that visitors see in place of a dev server: one function per cause. Those about access: access/pages.py."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from cloud_agent_proxy.log_text import last_lines
from cloud_agent_proxy.probe import Finding
from cloud_agent_proxy.session import PreviewState, Session, SessionStatus
from cloud_agent_proxy.steps import Step, broken_hop, steps_of_probe, steps_of_start

_REASON_LENGTH = 500


@dataclass(frozen=True)
class Page:
    """What one page shows; page_renderer.py gives it its form."""

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
    """Which hop between proxy and dev server fails, in a sentence."""
    log: str = ""
    """The last lines of the dev server's log."""
    pull_request: str = ""
    sign_in: str = ""
    """Where a person signs in with another account."""
    live: bool = False
    """Whether loading the session's address again shows its dev server."""
    watched: bool = False
    """Whether the page updates itself and opens the session automatically."""
    retry_after_seconds: int | None = None
    """After how long to try again."""


def about(session: Session | None) -> Page:
    """Say why the visitor is not shown this session's dev server."""
    if session is None:
        return unknown_session()
    match session.status:
        case SessionStatus.QUEUED if session.pull_number is not None:
            return _queued(session)
        case SessionStatus.QUEUED | SessionStatus.STARTING:
            return _starting(session)
        case SessionStatus.RUNNING:
            return not_responding(session)
        case SessionStatus.COMPLETED | SessionStatus.STOPPED | SessionStatus.FAILED:
            return _ended(session)


def unknown_session() -> Page:
    """No session has this name."""
    return Page(
        status=HTTPStatus.NOT_FOUND,
        error="session_unknown",
        title="Session not found",
        message="No session exists at this address. It may have been deleted, or the address may be incomplete.",
        what_to_do="You'll find the full address in the session's comment on the pull request.",
    )


def unknown_path() -> Page:
    """Say that the path is one of the proxy's own, and there is nothing at it."""
    return Page(
        status=HTTPStatus.NOT_FOUND,
        error="path_unknown",
        title="Page not found",
        message="Paths under /.uat/ are reserved for Claude Cloud Agent, and there's no page at this one.",
        what_to_do="Remove the path from the address to open the session.",
    )


def foreign_host() -> Page:
    """Say that the request is for a domain this proxy does not serve."""
    return Page(
        status=HTTPStatus.MISDIRECTED_REQUEST,
        error="host_foreign",
        title="This address isn't served here",
        message="This server only hosts Claude Cloud Agent sessions, and this address isn't one of them.",
        what_to_do="You'll find the session's full address in its comment on the pull request.",
    )


_REFUSED = {
    HTTPStatus.BAD_REQUEST: (
        "Bad request",
        "The request isn't valid HTTP, or its headers are too large, so it wasn't passed on to the dev server.",
        "Reload this page. If that doesn't help, clear this site's cookies.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "Method not allowed",
        "TRACE, TRACK and CONNECT requests aren't passed on to the dev server. Every other method is.",
        "",
    ),
    HTTPStatus.REQUEST_TIMEOUT: (
        "Request timed out",
        "The request didn't arrive within ten seconds, so the connection was closed.",
        "Check your connection, then reload this page.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "Request too large",
        "The request is too large to pass on to the dev server.",
        "Send less data at once.",
    ),
    HTTPStatus.REQUEST_URI_TOO_LONG: (
        "Address too long",
        "The path and query are too long to pass on to the dev server.",
        "Open the session's home page. If the app created this address, it has to put less data in it.",
    ),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "Request headers too large",
        "This is usually caused by too many cookies.",
        "Clear this site's cookies, then open the session from its pull request again.",
    ),
}


def refused(status: HTTPStatus) -> Page:
    """Say that the request is one that no browser should send.

    Raises:
        KeyError: the status is none of 400, 405, 408, 413, 414 and 431.
    """
    title, message, what_to_do = _REFUSED[status]
    return Page(status=status, error=status.name.lower(), title=title, message=message, what_to_do=what_to_do)


def table_unavailable(session_id: str) -> Page:
    """Say that the sessions table isn't responding, so nothing is known of the session."""
    return Page(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="sessions_unavailable",
        title="Sessions can't be looked up right now",
        message="The list of sessions isn't responding, so this session's status is unknown.",
        what_to_do="This page retries automatically.",
        session_id=session_id,
        watched=True,
        retry_after_seconds=5,
    )


def not_responding(session: Session | None = None, finding: Finding | None = None) -> Page:
    """Say that the session runs, but its dev server refuses connections or doesn't respond with HTTP.

    Without a finding, as on the page that HAProxy serves for every session, the cause isn't known yet.
    """
    preview = session.preview if session else None
    state = preview.state if preview else PreviewState.LIVE
    status, error, title, message, what_to_do = _NOT_UP[state]
    steps = steps_of_probe(finding, session.visited_port if session else None) if state is PreviewState.LIVE else ()
    return Page(
        status=status,
        error=error,
        title=title,
        message=message,
        what_to_do=what_to_do,
        reason=preview.detail.replace("`", "")[:_REASON_LENGTH] if preview and state is not PreviewState.LIVE else "",
        session_id=session.id if session else "",
        session_status=SessionStatus.RUNNING,
        steps=steps,
        hop=broken_hop(steps),
        log=last_lines(preview.log) if preview else "",
        pull_request=web_link(session.pull_url) if session else "",
        watched=True,
        retry_after_seconds=2,
    )


# By what the container last reported of the preview: status, cause, title, message, and what to do.
_NOT_UP = {
    PreviewState.LIVE: (
        HTTPStatus.BAD_GATEWAY,
        "dev_server_not_responding",
        "The dev server isn't responding",
        (
            "The session is running, but its dev server isn't responding. It may be starting, restarting after a "
            "change, or a change broke it."
        ),
        (
            "This page opens the session automatically once the dev server responds. "
            "To have Claude look into it, comment on the pull request."
        ),
    ),
    PreviewState.STARTING: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "preview_starting",
        "The preview is starting",
        "Claude is already working. The repository's dev server is being set up meanwhile.",
        "This page opens the preview automatically.",
    ),
    PreviewState.FAILED: (
        HTTPStatus.BAD_GATEWAY,
        "preview_failed",
        "The preview isn't running",
        "The session is running, but the repository's dev server didn't start.",
        (
            "This page opens the preview automatically once the cause is fixed. "
            "To have Claude fix it, comment on the pull request."
        ),
    ),
    PreviewState.NONE: (
        HTTPStatus.NOT_FOUND,
        "preview_none",
        "This session has no preview",
        "The session is running, but its repository has no dev server to show.",
        "This page opens the preview automatically if one appears. Follow the session on its pull request.",
    ),
}


def responding(session: Session) -> Page:
    """Say that the session's dev server responds: there's nothing left to wait for."""
    return Page(
        status=HTTPStatus.OK,
        error="",
        title="The session is live",
        message="Its dev server is responding.",
        session_id=session.id,
        session_status=session.status,
        steps=steps_of_probe(Finding.RESPONDS),
        pull_request=web_link(session.pull_url),
        live=True,
    )


def _queued(session: Session) -> Page:
    return Page(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="session_queued",
        title="The session is queued",
        message="This session is in the queue and starts automatically; "
        "its comment on the pull request shows its place in the queue.",
        what_to_do="This page opens the session automatically.",
        session_id=session.id,
        session_status=session.status,
        steps=steps_of_start(session),
        pull_request=web_link(session.pull_url),
        watched=True,
        retry_after_seconds=2,
    )


def _starting(session: Session) -> Page:
    has_slot = session.status is SessionStatus.STARTING
    return Page(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="session_starting",
        title="The session is starting",
        message="Its container is starting." if has_slot else "Its branch and pull request are being created.",
        what_to_do="This page opens the session automatically.",
        session_id=session.id,
        session_status=session.status,
        steps=steps_of_start(session),
        pull_request=web_link(session.pull_url),
        watched=True,
        retry_after_seconds=2,
    )


def _ended(session: Session) -> Page:
    titles = {
        SessionStatus.COMPLETED: "The session has completed",
        SessionStatus.STOPPED: "The session has stopped",
        SessionStatus.FAILED: "The session has failed",
    }
    return Page(
        status=HTTPStatus.GONE,
        error="session_ended",
        title=titles[session.status],
        message="Its container and dev server are gone. Pushed commits stay on its branch.",
        reason=session.end_reason[:_REASON_LENGTH],
        what_to_do="To start another session on this branch, comment /restart on the pull request, "
        "or remove and re-add the label on the issue.",
        session_id=session.id,
        session_status=session.status,
        pull_request=web_link(session.pull_url),
    )


def web_link(url: str) -> str:
    """Return the address if it's safe to link to, else nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc else ""

"""`/sessions/<id>` on the sign-in host: the box to write in, and the commands as buttons."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.routing import Route

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.responses import origin_of, page_response, redirect_response, rendered_response
from cloud_agent_proxy.sessions_table import TableUnavailableError
from cloud_agent_proxy.sign_in import pages as sign_in_pages
from cloud_agent_proxy.sign_in.github import CommentRefusedError, GitHubAwayError, Rights, UserTokenRefusedError
from cloud_agent_proxy.sign_in.github_sign_in import NO_REPOSITORY
from cloud_agent_proxy.sign_in.results import Failed

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.session import Session
    from cloud_agent_proxy.sign_in.github import GitHub
    from cloud_agent_proxy.sign_in.github_sign_in import GitHubSignIn
    from cloud_agent_proxy.writing.renderer import WritingRenderer
    from cloud_agent_proxy.writing.writers import Standing, Writer, Writers

logger = logging.getLogger(__name__)

COMMANDS = ("/interrupt", "/update", "/stop", "/restart")
"""What a button may say in the visitor's name; each is a command of the pull request's comments."""
MOST_CHARACTERS = 60_000  # GitHub takes 65,536
_CHOOSE_ACCOUNT = "account"
_SESSION_ID = re.compile(r"[0-9a-f]{8}")
_MOST_BYTES = 4 * MOST_CHARACTERS
_MOST_SECONDS = 10  # HAProxy waits for twelve


class WritingPaths:
    """Lets who may write in a session's repository comment on its pull request, as themselves."""

    def __init__(  # noqa: PLR0913, PLR0917 - what writing takes, once each
        self,
        sign_in: GitHubSignIn,
        github: GitHub,
        writers: Writers,
        directory: SessionDirectory,
        renderer: WritingRenderer,
        page_renderer: PageRenderer,
    ) -> None:
        self._sign_in = sign_in
        self._github = github
        self._writers = writers
        self._directory = directory
        self._renderer = renderer
        self._page_renderer = page_renderer
        self.routes = [Route("/sessions/{session_id:path}", self._respond, methods=["GET", "HEAD", "POST"])]

    async def _respond(self, request: Request) -> Response:
        if not _SESSION_ID.fullmatch(request.path_params["session_id"]):  # it becomes part of addresses
            return page_response(self._page_renderer, request, pages.unknown_session())
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                return await self._admitted(request)
        except UserTokenRefusedError:
            return self._to_sign_in(request)
        except (GitHubAwayError, TimeoutError):
            return page_response(self._page_renderer, request, access_pages.github_not_responding())
        except TableUnavailableError:
            return page_response(self._page_renderer, request, pages.table_unavailable(""))

    async def _admitted(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        writer = self._writers.writer(request.cookies)
        if request.method == "POST":
            # Browsers say where a form was sent from; that of another page has no business here.
            fields = await _fields(request) if request.headers.get("origin") == origin_of(request) else {}
            if writer is None or not self._writers.is_form_token(fields.get("token", ""), writer, session_id):
                return page_response(self._page_renderer, request, access_pages.other_session())
        elif writer is None or _CHOOSE_ACCOUNT in request.query_params:
            return self._to_sign_in(request)
        session = await self._directory.look_up(session_id)
        standing = await self._writers.standing(writer, session.repo if session else NO_REPOSITORY)
        if session is None or standing.rights is Rights.NONE:
            refusal = access_pages.forbidden(standing.login, f"/sessions/{session_id}?{_CHOOSE_ACCOUNT}")
            return page_response(self._page_renderer, request, refusal)
        if request.method == "POST":
            return await self._post(request, session, writer, standing, fields)
        return self._form(request, session, writer, standing, sent="sent" in request.query_params)

    async def _post(
        self, request: Request, session: Session, writer: Writer, standing: Standing, fields: dict[str, str]
    ) -> Response:
        text = fields.get("command") or fields.get("text", "").strip()
        problem = _problem(session, standing, fields, text)
        if not problem:
            try:
                await self._github.comment(writer.token, session.repo, session.pull_number or 0, text)
            except CommentRefusedError as error:
                problem = f"GitHub didn't accept the comment: {error}"
        if problem:
            return self._form(request, session, writer, standing, problem=problem, text=fields.get("text", ""))
        logger.info("comment made", extra={"session_id": session.id, "login": standing.login})
        return redirect_response(f"/sessions/{session.id}?sent", [])

    def _form(  # noqa: PLR0913 - what the page shows
        self,
        request: Request,
        session: Session,
        writer: Writer,
        standing: Standing,
        *,
        sent: bool = False,
        problem: str = "",
        text: str = "",
    ) -> Response:
        page = self._renderer.page(
            session=session,
            session_url=f"{self._sign_in.origin_of(session.id, origin_of(request))}/.uat/",
            login=standing.login,
            may_write=standing.rights is Rights.WRITE,
            token=self._writers.form_token(writer, session.id),
            sent=sent,
            problem=problem,
            text=text,
        )
        return rendered_response(page)

    def _to_sign_in(self, request: Request) -> Response:
        begun = self._sign_in.begin_here(
            origin_of(request),
            request.cookies,
            request.path_params["session_id"],
            choose_account=_CHOOSE_ACCOUNT in request.query_params,
        )
        if isinstance(begun, Failed):
            return page_response(self._page_renderer, request, sign_in_pages.failed_on_sign_in_host(begun))
        return redirect_response(begun.url, [begun.cookie.header] if begun.cookie else [])


def _problem(session: Session, standing: Standing, fields: dict[str, str], text: str) -> str:
    """Return why this can't be a comment, nothing if it can."""
    if standing.rights is not Rights.WRITE:
        return "Only people with write access to the repository can write to Claude."
    if session.pull_number is None:
        return "The session has no pull request yet."
    if "command" in fields and text not in COMMANDS:
        return "There's no such command."
    if not text:
        return "Write something first."
    return "That's too long for a comment." if len(text) > MOST_CHARACTERS else ""


async def _fields(request: Request) -> dict[str, str]:
    """Return the form's fields, none of a form that is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return {}
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=10, errors="replace")
    return {name: values[0] for name, values in fields.items()}

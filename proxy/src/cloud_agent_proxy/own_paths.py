"""The paths under `/.uat/` on every session's host: the proxy's own, which no dev server sees."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cloud_agent_proxy import pages
from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.access.gate import AccessUnknownError, Gate
from cloud_agent_proxy.access.return_path import return_path
from cloud_agent_proxy.responses import EVERY_METHOD, page_response, redirect_response, rendered_response, with_cookies
from cloud_agent_proxy.sessions_table import TableUnavailableError

if TYPE_CHECKING:
    from starlette.requests import Request

    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.pages import Page
    from cloud_agent_proxy.status import Status


class OwnPaths:
    """Lets visitors in, and tells those who are in how their session is. Nobody is asked for a cookie to get here."""

    def __init__(self, gate: Gate, directory: SessionDirectory, status: Status, renderer: PageRenderer) -> None:
        self._gate = gate
        self._directory = directory
        self._status = status
        self._renderer = renderer
        self.routes = [
            Route("/own/{session_id}/.uat/enter", self._enter),
            Route("/own/{session_id}/.uat/status", self._status_of),
            Route("/own/{session_id}/.uat/revision", self._revision),
            Route("/own/{session_id}/.uat/{path:path}", self._unknown_path, methods=EVERY_METHOD),
        ]

    async def _enter(self, request: Request) -> Response:
        """Change the link for a cookie; the address that stays in the browser holds no token."""
        query = request.query_params
        cookies = await self._gate.enter(request.path_params["session_id"], query.get("token", ""))
        if cookies is None:
            return self._response(request, access_pages.link_expired())
        return redirect_response(return_path(query.get("return_to", "/")), cookies)

    async def _status_of(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        try:
            grant = await self._gate.admit(session_id, request.cookies)
        except AccessUnknownError:
            return rendered_response(self._renderer.json(access_pages.access_unchecked()))
        if grant is None:  # nothing is looked up, and nothing about the session is said
            return rendered_response(self._renderer.json(self._gate.signed_out))
        page = await self._status.page(session_id)
        if page.session_status:  # the status is known, whatever it is
            page = replace(page, status=HTTPStatus.OK)
        return with_cookies(rendered_response(self._renderer.json(page)), grant.cookies)

    async def _revision(self, request: Request) -> Response:
        """Tell an open page its revision, where HAProxy doesn't know it; nothing if it isn't to be reloaded.

        The session is known from here on, so the next such request is HAProxy's again.
        """
        session_id = request.path_params["session_id"]
        try:
            grant = await self._gate.admit(session_id, request.cookies)
            session = await self._directory.look_up(session_id) if grant else None
        except (AccessUnknownError, TableUnavailableError):
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        if grant is None:
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        revision = "" if session is None or session.page_revision is None else str(session.page_revision)
        return with_cookies(PlainTextResponse(revision, headers={"Cache-Control": "no-store"}), grant.cookies)

    async def _unknown_path(self, request: Request) -> Response:
        return self._response(request, pages.unknown_path())

    def _response(self, request: Request, page: Page) -> Response:
        return page_response(self._renderer, request, page)

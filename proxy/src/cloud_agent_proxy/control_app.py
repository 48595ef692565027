"""The control plane's HTTP side: HAProxy is its only client, on a unix socket in a private folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cloud_agent_proxy import pages
from cloud_agent_proxy.access.gate import AccessUnknownError, Gate
from cloud_agent_proxy.responses import EVERY_METHOD, page_response, rendered_response, with_cookies
from cloud_agent_proxy.sessions_table import TableUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from cloud_agent_proxy.access.admissions import Admissions
    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.page_renderer import PageRenderer
    from cloud_agent_proxy.pages import Page
    from cloud_agent_proxy.session_page.paths import SessionPagePaths

_READS = {"GET", "HEAD"}


class ControlApp:
    """Says who may pass and where a session is (to resolve.lua), what visitors see in its place, and how we are."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the control plane, once each
        self,
        directory: SessionDirectory,
        renderer: PageRenderer,
        gate: Gate,
        admissions: Admissions,
        session_page: SessionPagePaths,
        visitor_routes: Sequence[Route],
    ) -> None:
        self._directory = directory
        self._renderer = renderer
        self._gate = gate
        self._admissions = admissions
        self._session_page = session_page
        self.asgi = Starlette(
            routes=[
                Route("/admissions/{session_id}", self._admission),
                Route("/routes/{session_id}", self._route),
                *visitor_routes,
                # On the sign-in host, where nobody signs in:
                *(
                    Route(path, self._unnamed, methods=EVERY_METHOD)
                    for path in ("/", "/callback", "/sessions/{path:path}")
                ),
                Route("/{form:str}/sessions/{session_id}", self._session, methods=EVERY_METHOD),
                Route("/{form:str}/unnamed", self._unnamed, methods=EVERY_METHOD),
                Route("/{form:str}/foreign", self._foreign, methods=EVERY_METHOD),
                Route("/health", self._health),
                Route("/health/ready", self._ready),
            ]
        )

    async def _admission(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        try:
            grant = await self._gate.admit(session_id, request.cookies)
        except AccessUnknownError:
            return Response(status_code=503)
        if grant is None:
            return Response(status_code=401)
        await self._admissions.remember(session_id, grant.token, grant.expires_at)
        return with_cookies(PlainTextResponse(str(grant.expires_at)), grant.cookies)

    async def _route(self, request: Request) -> Response:
        try:
            address = await self._directory.route_to(request.path_params["session_id"])
        except TableUnavailableError:
            address = None
        return PlainTextResponse(address.route) if address else Response(status_code=404)

    async def _session(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        try:
            session = await self._directory.look_up(session_id)
        except TableUnavailableError:
            return self._response(request, pages.table_unavailable(session_id))
        if session and not session.has_live_preview and _opens_a_tab(request):
            return await self._session_page.in_previews_place(request, session)
        return self._response(request, pages.about(session))

    async def _unnamed(self, request: Request) -> Response:
        return page_response(self._renderer, request, pages.unknown_session())

    async def _foreign(self, request: Request) -> Response:
        return self._response(request, pages.foreign_host())

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def _ready(self, _: Request) -> Response:
        """Report; the status stays 200, for a proxy without its table still serves every session it knows."""
        freshness = self._directory.freshness
        status = "degraded" if freshness.degraded else "ok"
        return JSONResponse({"status": status, **asdict(freshness)}, headers={"Cache-Control": "no-store"})

    def _response(self, request: Request, page: Page) -> Response:
        if request.path_params["form"] == "json":
            return rendered_response(self._renderer.json(page))
        return rendered_response(self._renderer.html(page, repeatable=request.method in _READS))


def _opens_a_tab(request: Request) -> bool:
    """Tell a person's browser, which shows the session's page, from programs and frames, which get a smaller one.

    Over plain HTTP browsers don't say what they ask for (Fetch Metadata, section 2: potentially trustworthy URLs only).
    """
    asks_for = request.headers.get("sec-fetch-dest") or (
        "document" if "text/html" in request.headers.get("accept", "") else ""
    )
    return request.method in _READS and asks_for == "document"

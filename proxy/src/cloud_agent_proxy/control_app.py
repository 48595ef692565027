"""The control plane's HTTP side: HAProxy is its only client, on a unix socket in a private folder."""

from dataclasses import asdict
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from cloud_agent_proxy import answers
from cloud_agent_proxy.access.admissions import Admissions
from cloud_agent_proxy.access.gate import Gate
from cloud_agent_proxy.access.return_path import return_path
from cloud_agent_proxy.answers import Answer
from cloud_agent_proxy.directory import SessionDirectory
from cloud_agent_proxy.pages import Page, Pages
from cloud_agent_proxy.sessions_table import TableUnavailableError

_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ControlApp:
    """Says who may pass and where a session is (to resolve.lua), what visitors see in its place, and how we are."""

    def __init__(self, directory: SessionDirectory, pages: Pages, gate: Gate, admissions: Admissions) -> None:
        self._directory = directory
        self._pages = pages
        self._gate = gate
        self._admissions = admissions
        self.asgi = Starlette(
            routes=[
                Route("/admissions/{session_id}", self._admission),
                Route("/routes/{session_id}", self._route),
                Route("/reserved/{session_id}/.uat/enter", self._enter),
                Route("/reserved/{session_id}/.uat/{path:path}", self._unknown_path, methods=_EVERY_METHOD),
                Route("/{form:str}/sessions/{session_id}", self._session, methods=_EVERY_METHOD),
                Route("/{form:str}/unnamed", self._unnamed, methods=_EVERY_METHOD),
                Route("/{form:str}/foreign", self._foreign, methods=_EVERY_METHOD),
                Route("/health", self._health),
                Route("/health/ready", self._ready),
            ]
        )

    async def _admission(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        grant = await self._gate.admit(session_id, request.cookies)
        if grant is None:
            return Response(status_code=401)
        await self._admissions.remember(session_id, grant.token, grant.expires_at)
        return PlainTextResponse(str(grant.expires_at))

    async def _enter(self, request: Request) -> Response:
        """Change the link for a cookie; the address that stays in the browser holds no token."""
        query = request.query_params
        cookies = await self._gate.enter(request.path_params["session_id"], query.get("token", ""))
        if cookies is None:
            return self._response(answers.link_no_longer_good(), as_json=_wants_json(request))
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        response = RedirectResponse(return_path(query.get("return_to", "/")), HTTPStatus.SEE_OTHER, headers)
        for cookie in cookies:
            response.headers.append("Set-Cookie", cookie)
        return response

    async def _unknown_path(self, request: Request) -> Response:
        return self._response(answers.unknown_path(), as_json=_wants_json(request))

    async def _route(self, request: Request) -> Response:
        try:
            address = await self._directory.route_to(request.path_params["session_id"])
        except TableUnavailableError:
            address = None
        return PlainTextResponse(str(address)) if address else Response(status_code=404)

    async def _session(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        try:
            answer = answers.about(await self._directory.look_up(session_id))
        except TableUnavailableError:
            answer = answers.table_unavailable(session_id)
        return self._response_in_form(request, answer)

    async def _unnamed(self, request: Request) -> Response:
        return self._response_in_form(request, answers.unknown_session())

    async def _foreign(self, request: Request) -> Response:
        return self._response_in_form(request, answers.foreign_host())

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def _ready(self, _: Request) -> Response:
        """Report; the status stays 200, for a proxy without its table still serves every session it knows."""
        freshness = self._directory.freshness
        status = "degraded" if freshness.degraded else "ok"
        return JSONResponse({"status": status, **asdict(freshness)}, headers={"Cache-Control": "no-store"})

    def _response_in_form(self, request: Request, answer: Answer) -> Response:
        return self._response(answer, as_json=request.path_params["form"] == "json")

    def _response(self, answer: Answer, *, as_json: bool) -> Response:
        page: Page = self._pages.json(answer) if as_json else self._pages.html(answer)
        return Response(page.body, page.status, page.headers)


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted

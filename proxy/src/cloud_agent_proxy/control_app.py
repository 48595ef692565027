"""The control plane's HTTP side: HAProxy is its only client, on a unix socket in a private folder."""

from dataclasses import asdict, replace
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cloud_agent_proxy import answers
from cloud_agent_proxy.answers import Answer
from cloud_agent_proxy.directory import SessionDirectory
from cloud_agent_proxy.pages import Page, Pages
from cloud_agent_proxy.sessions_table import TableUnavailableError
from cloud_agent_proxy.status import Status

_READS = {"GET", "HEAD"}
_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ControlApp:
    """Says where a session is (to resolve.lua), why there is none to show (to visitors), and how we are."""

    def __init__(self, directory: SessionDirectory, status: Status, pages: Pages) -> None:
        self._directory = directory
        self._status = status
        self._pages = pages
        self.asgi = Starlette(
            routes=[
                Route("/routes/{session_id}", self._route),
                Route("/{form:str}/sessions/{session_id}", self._session, methods=_EVERY_METHOD),
                Route("/{form:str}/unnamed", self._unnamed, methods=_EVERY_METHOD),
                Route("/{form:str}/foreign", self._foreign, methods=_EVERY_METHOD),
                Route("/reserved/{session_id}/.uat/status", self._status_of),
                Route("/reserved/{session_id}/{path:path}", self._unknown_path, methods=_EVERY_METHOD),
                Route("/health", self._health),
                Route("/health/ready", self._ready),
            ]
        )

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
        return self._response(request, answer)

    async def _unnamed(self, request: Request) -> Response:
        return self._response(request, answers.unknown_session())

    async def _foreign(self, request: Request) -> Response:
        return self._response(request, answers.foreign_host())

    async def _status_of(self, request: Request) -> Response:
        answer = await self._status.answer(request.path_params["session_id"], has_access=True)
        if answer.session_status:  # the question is answered, whatever the answer
            answer = replace(answer, status=HTTPStatus.OK)
        return _sent(self._pages.json(answer))

    async def _unknown_path(self, request: Request) -> Response:
        accepted = request.headers.get("accept", "")
        as_json = "application/json" in accepted and "text/html" not in accepted
        answer = answers.unknown_path()
        return _sent(self._pages.json(answer) if as_json else self._pages.html(answer))

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def _ready(self, _: Request) -> Response:
        """Report; the status stays 200, for a proxy without its table still serves every session it knows."""
        freshness = self._directory.freshness
        status = "degraded" if freshness.degraded else "ok"
        return JSONResponse({"status": status, **asdict(freshness)}, headers={"Cache-Control": "no-store"})

    def _response(self, request: Request, answer: Answer) -> Response:
        if request.path_params["form"] == "json":
            return _sent(self._pages.json(answer))
        return _sent(self._pages.html(answer, repeatable=request.method in _READS))


def _sent(page: Page) -> Response:
    return Response(page.body, page.status, page.headers)

"""Requests that fail as planned."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response

from local_github.actors import App, AppClient, Installation, Person, identify
from local_github.errors import ApiError
from local_github.faults import Drop, Fault, RateLimit, Status, Timeout
from local_github.request_log import api_path

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from local_github.site import Site

_LIMITS_URL = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID 0000:0000:000000:000000:00000000."
)


class FaultInjection:
    """ASGI middleware that lets requests to REST, GraphQL, git and for user tokens meet the faults planned for them."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or carry it out or not and answer with the fault."""
        path = api_path(scope["path"]) if scope["type"] == "http" else None
        fault = await self._meet(scope, path) if path and self._site.faults else None
        if not fault:
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["fault"] = fault.kind
        if fault.when == "after":
            await self._app(scope, receive, _discard)
        match fault:
            case Drop():
                await _drop(receive)
                return
            case Timeout():
                with anyio.move_on_after(fault.seconds):
                    await _until_disconnected(receive)
                    return
        await _answer(fault, scope["path"])(scope, receive, send)

    async def _meet(self, scope: Scope, path: str) -> Fault | None:
        authorization = Headers(scope=scope).get("authorization", "")
        kind = await to_thread.run_sync(_kind_of_actor, self._site, authorization)
        return self._site.faults.take(scope["method"], path, kind)


def _kind_of_actor(site: Site, authorization: str) -> str:
    try:
        actor = identify(site, authorization)
    except ApiError:
        return "nobody"
    match actor:
        case App() | AppClient() | Installation():
            return "app"
        case Person():
            return "person"
    return "nobody"


async def _discard(_message: Message) -> None:
    """Lose the answer."""


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drop(receive: Receive) -> None:
    """Close the connection. ASGI has no word for it, but uvicorn's `receive` is a method of what holds the socket."""
    receive.__self__.transport.abort()  # type: ignore[attr-defined]  # uvicorn's RequestResponseCycle
    await _until_disconnected(receive)


def _answer(fault: Status | RateLimit | Timeout, path: str) -> Response:
    status, headers, body = _said(fault)
    if ".git/" in path:
        return PlainTextResponse(f"{body['message']}\n", status, headers)
    if path.endswith("/graphql") and isinstance(fault, RateLimit) and fault.retry_after is None:
        # "the response status will still be 200": https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
        error = {"type": "RATE_LIMITED", "message": body["message"]}
        return JSONResponse({"errors": [error]}, HTTPStatus.OK, headers)
    return JSONResponse(body, status, headers)


def _said(fault: Status | RateLimit | Timeout) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Return status, headers and body as GitHub words them."""
    match fault:
        case Status():
            return fault.status, {}, {"message": "Server Error"}
        case Timeout():
            message = "We couldn't respond to your request in time. Sorry about that."
            return HTTPStatus.GATEWAY_TIMEOUT, {}, {"message": message}
    limits = {"X-RateLimit-Limit": "5000", "X-RateLimit-Resource": "core"}
    reset = {"X-RateLimit-Reset": str(int(time.time()) + fault.reset_after)}
    about = {"documentation_url": _LIMITS_URL, "status": str(fault.status)}
    if fault.retry_after is not None:
        headers = limits | reset | {"Retry-After": str(fault.retry_after), "X-RateLimit-Remaining": "4990"}
        return fault.status, headers, {"message": _SECONDARY, **about}
    headers = limits | reset | {"X-RateLimit-Remaining": "0", "X-RateLimit-Used": "5000"}
    return fault.status, headers, {"message": "API rate limit exceeded for installation.", **about}

"""The only holder of the model's API key: a gateway on 127.0.0.1 that Claude Code talks to instead.

Claude's shell sees every variable of its environment, so the key must not be there. The placeholder that is there
works with this gateway only, and expires with the session.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from pydantic import SecretStr
    from starlette.requests import Request

logger = logging.getLogger(__name__)

_PATHS = ("/v1/messages", "/v1/messages/count_tokens")
_REQUEST_HEADERS = ("content-type", "accept", "user-agent", "x-app")
_REQUEST_HEADER_PREFIXES = ("anthropic-", "x-stainless-")
_RESPONSE_HEADERS = ("content-type", "content-encoding", "request-id", "retry-after", "x-should-retry")
_RESPONSE_HEADER_PREFIXES = ("anthropic-",)
# A long answer is silent between its parts for minutes; 10 min is the Anthropic SDK's own limit.
_TIMEOUT = httpx.Timeout(600, connect=10)


@dataclass(frozen=True)
class ModelGateway:
    """Where the gateway listens, and the placeholder key it asks for."""

    url: str
    placeholder_key: str


@asynccontextmanager
async def model_gateway(upstream_url: str, api_key: SecretStr) -> AsyncIterator[ModelGateway]:
    """Serve the Messages API on 127.0.0.1 at a free port while the context lasts."""
    placeholder = f"placeholder-{secrets.token_hex(16)}"
    async with httpx.AsyncClient(base_url=upstream_url, timeout=_TIMEOUT) as upstream:
        forwarder = _Forwarder(upstream, api_key, placeholder)
        routes = [Route(path, forwarder.forward, methods=["POST"]) for path in _PATHS]
        config = uvicorn.Config(
            Starlette(routes=routes), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        listener = socket.create_server(("127.0.0.1", 0))
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield ModelGateway(f"http://127.0.0.1:{listener.getsockname()[1]}", placeholder)
        finally:
            server.should_exit = True
            await serving
            listener.close()


class _Server(uvicorn.Server):
    """uvicorn, but for the signals: those belong to the supervisor."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _Forwarder:
    def __init__(self, upstream: httpx.AsyncClient, api_key: SecretStr, placeholder: str) -> None:
        self._upstream = upstream
        self._api_key = api_key
        self._placeholder = placeholder

    async def forward(self, request: Request) -> Response:
        """Pass one call on with the real key, and stream its response back."""
        if not secrets.compare_digest(request.headers.get("x-api-key", ""), self._placeholder):
            return _error(401, "authentication_error", "This gateway serves its own session only.")
        headers = _chosen(request.headers.items(), _REQUEST_HEADERS, _REQUEST_HEADER_PREFIXES)
        headers["x-api-key"] = self._api_key.get_secret_value()
        call = self._upstream.build_request(
            "POST", request.url.path, params=request.query_params, headers=headers, content=await request.body()
        )
        try:
            response = await self._upstream.send(call, stream=True)
        except httpx.TransportError as error:
            logger.warning("model API not reachable", extra={"reason": type(error).__name__})
            return _error(502, "api_error", f"The model API couldn't be reached ({type(error).__name__}).")
        passed = _chosen(response.headers.items(), _RESPONSE_HEADERS, _RESPONSE_HEADER_PREFIXES)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            # Claude Code would try for minutes, as a login may be renewed; a key that is wrong stays so.
            passed["x-should-retry"] = "false"
        return StreamingResponse(_passed_on(response), status_code=response.status_code, headers=passed)


async def _passed_on(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the response's bytes as sent; close it when Claude hangs up half-way, too."""
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    finally:
        await response.aclose()


def _chosen(headers: Iterable[tuple[str, str]], names: tuple[str, ...], prefixes: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in headers if name in names or name.startswith(prefixes)}


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"type": "error", "error": {"type": kind, "message": message}}, status)

"""One call at the gateway: checked, passed on with the credential, and metered to the end of its response."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, StreamingResponse

from cloud_agent_runner.model.access import MAX_OUTPUT_TOKENS
from cloud_agent_runner.model.admission import refusal
from cloud_agent_runner.model.api import CredentialsUnavailableError, chosen
from cloud_agent_runner.model.budget import LimitReachedError, MeteredCall
from cloud_agent_runner.model.exchange import Exchange
from cloud_agent_runner.model.prices import cost_usd
from cloud_agent_runner.model.usage import UsageReader, estimated_usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from cloud_agent_runner.model.gateway import GatewayTurn, ModelGateway

logger = logging.getLogger(__name__)

# Anthropic's own limit for a request ("Claude API: Errors", request size limits).
MAX_REQUEST_BYTES = 32 * 1024 * 1024
# Calls at a time; further ones wait, their bodies unread. So many bodies are kept in memory at most.
MAX_OPEN_CALLS = 8
_BODY_SECONDS = 60
# After these the provider has surely done nothing. After any other failure it may have written all that it may.
_NOT_SENT = (
    CredentialsUnavailableError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,  # a header that can't be sent
    httpx.ProxyError,
)
_RESPONSE_HEADERS = ("content-type", "request-id", "retry-after", "x-should-retry")
_RESPONSE_HEADER_PREFIXES = ("anthropic-", "x-amzn-")


class RefusedError(Exception):
    """A call that the gateway answers by itself, in the API's form; not to be tried again unless `retry`."""

    def __init__(self, status: int, kind: str, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        headers = {} if retry else {"x-should-retry": "false"}
        self.response = JSONResponse({"type": "error", "error": {"type": kind, "message": message}}, status, headers)


class Forwarder:
    """The gateway's application."""

    def __init__(self, gateway: ModelGateway, upstream: httpx.AsyncClient) -> None:
        self._gateway = gateway
        self._api = gateway.api
        self._upstream = upstream
        self._places = asyncio.Semaphore(MAX_OPEN_CALLS)
        self._exchanges: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call. What it costs is found out even if its caller leaves, or its turn ends."""
        request = Request(scope, receive)
        try:
            turn = self._gateway.turn_of(request)
            exchange = Exchange(partial(self._exchange, request, turn))
            self._exchanges.add(exchange.task)
            exchange.task.add_done_callback(self._exchanges.discard)
            try:
                response = await asyncio.shield(exchange.response)
                await self._passed_back(response, exchange, turn)(scope, receive, send)
            finally:
                exchange.leave()
        except RefusedError as refused:
            await refused.response(scope, receive, send)
        except ClientDisconnect:
            logger.info("model call given up before it was sent")

    async def aclose(self) -> None:
        """End the calls that are still open; each costs the most that it may."""
        for task in self._exchanges:
            task.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)

    async def _exchange(self, request: Request, turn: GatewayTurn, exchange: Exchange) -> None:
        async with self._places:
            body, output_tokens = await self._checked_body(request)
            async with (
                self._metered(request, len(body), output_tokens, turn) as call,
                self._sent(request, body, call) as response,
            ):
                exchange.begin(response)
                reader = UsageReader(response.headers.get("content-type", ""))
                turn.texts.add(reader.text)
                try:
                    async for part in response.aiter_bytes():
                        reader.feed(part)
                        self._meter(call, reader, output_tokens)
                        exchange.add(part)
                except httpx.TransportError as error:
                    # Claude Code sees that the end is missing.
                    logger.warning("model response broke off", extra={"reason": type(error).__name__})

    def _meter(self, call: MeteredCall, reader: UsageReader, output_tokens: int) -> None:
        if (usage := reader.usage) is None:
            if reader.has_ended:
                call.failed()
            return
        usd = cost_usd(self._api.model, usage)
        if reader.has_ended:
            call.cost(usd)
        else:
            call.costs_so_far(usd, cost_usd(self._api.model, usage.with_output(output_tokens)))

    async def _checked_body(self, request: Request) -> tuple[bytes, int]:
        """Read the body, and make sure that it asks for the session's model alone, within the gateway's bounds.

        Returns it with the most tokens that the response may have. The framework responds to a larger one with 413.
        """
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.body()
        except TimeoutError:
            raise RefusedError(408, "timeout_error", "The request's body didn't arrive.") from None
        call = _json_object(body)
        if self._api.requested_model(request, call) != self._api.model:
            raise RefusedError(403, "permission_error", f"This session uses the model {self._api.model} alone.")
        output_tokens = call.get("max_tokens", MAX_OUTPUT_TOKENS)
        if not isinstance(output_tokens, int) or not 0 <= output_tokens <= MAX_OUTPUT_TOKENS:
            message = f"max_tokens: this gateway admits {MAX_OUTPUT_TOKENS} at most."
            raise RefusedError(400, "invalid_request_error", message)
        if call.get("speed", "standard") != "standard":
            raise RefusedError(400, "invalid_request_error", "speed: this gateway admits the standard speed alone.")
        if reason := refusal(call):
            raise RefusedError(403, "permission_error", reason)
        return body, output_tokens

    @asynccontextmanager
    async def _metered(
        self, request: Request, request_bytes: int, output_tokens: int, turn: GatewayTurn
    ) -> AsyncIterator[MeteredCall]:
        if request.url.path in self._api.free_paths:
            yield MeteredCall(0)
            return
        most = cost_usd(self._api.model, estimated_usage(request_bytes, output_tokens))
        try:
            async with self._gateway.budget.call(most) as call:
                yield call
        except LimitReachedError as reached:
            turn.refused_for = reached.limit
            logger.info("model call refused", extra={"limit": reached.limit.value})
            # Claude Code repeats this with neither API; a 403 of Bedrock's it takes for a login that has expired.
            raise RefusedError(402, "billing_error", str(reached)) from None

    @asynccontextmanager
    async def _sent(self, request: Request, body: bytes, call: MeteredCall) -> AsyncIterator[httpx.Response]:
        """Send a call on; give its response while it is still being written."""
        try:
            self._gateway.turn_of(request)  # which may have ended while this call waited
            target = await self._api.target(request, body)
            # Uncompressed, so that usage can be read as it passes.
            headers = {**target.headers, "accept-encoding": "identity"}
            sending = self._upstream.build_request("POST", target.url, headers=headers, content=body)
            response = await self._upstream.send(sending, stream=True)
        except RefusedError:
            call.failed()
            raise
        except _NOT_SENT as error:
            call.failed()
            raise _unreachable(error) from None
        except httpx.TimeoutException:
            raise RefusedError(504, "timeout_error", "The model API didn't respond in time.", retry=True) from None
        except httpx.TransportError as error:
            raise _unreachable(error) from None
        if not response.is_success:
            call.failed()
        try:
            yield response
        finally:
            await response.aclose()

    def _passed_back(self, response: httpx.Response, exchange: Exchange, turn: GatewayTurn) -> StreamingResponse:
        headers = chosen(response.headers, _RESPONSE_HEADERS, _RESPONSE_HEADER_PREFIXES)
        status = response.status_code
        if status in self._api.final_statuses:
            status, headers["x-should-retry"] = self._api.final_statuses[status], "false"
        return StreamingResponse(self._passing(exchange, turn), status, headers)

    async def _passing(self, exchange: Exchange, turn: GatewayTurn) -> AsyncIterator[bytes]:
        """Yield the response as it comes, no further than the turn's end."""
        async for part in exchange.parts():
            if turn.is_over:
                return
            yield part


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise RefusedError(400, "invalid_request_error", "The body must be a JSON object that names nothing twice.")
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what the API might read otherwise than we do."""
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name occurs twice")
    return document


def _unreachable(error: Exception) -> RefusedError:
    logger.warning("model API not reachable", extra={"reason": type(error).__name__})
    is_explained = isinstance(error, CredentialsUnavailableError)
    message = str(error) if is_explained else f"The model API couldn't be reached ({type(error).__name__})."
    return RefusedError(502, "api_error", message, retry=True)

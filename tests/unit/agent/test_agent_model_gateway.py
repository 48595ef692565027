from __future__ import annotations

import asyncio
import gzip
import json
import threading
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.http_server import NoResponse, Response, serve_http

from cloud_agent_runner.model import exchange, forwarder
from cloud_agent_runner.model import gateway as module
from cloud_agent_runner.model.access import MAX_OUTPUT_TOKENS
from cloud_agent_runner.model.api import AnthropicApi
from cloud_agent_runner.model.budget import Limit, ModelBudget
from cloud_agent_runner.model.forwarder import MAX_OPEN_CALLS, MAX_REQUEST_BYTES
from cloud_agent_runner.model.gateway import GatewayTurn, ModelGateway, model_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from tests.kit.http_server import HttpServer, Request, Respond

KEY = SecretStr("sk-ant-the-real-key")
MODEL = "claude-sonnet-5"
CALL = {"model": MODEL, "max_tokens": 1_000, "messages": []}
# At $2 and $10 per million tokens: 20 cents for what is read, 1 cent for what is written.
START = {"type": "message_start", "message": {"model": MODEL, "usage": {"input_tokens": 100_000, "output_tokens": 1}}}
WRITTEN = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x" * 2_000}}
END = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 1_000}}
STREAMED = {"Content-Type": "text/event-stream"}
JSON = {"Content-Type": "application/json"}
MESSAGE = {"type": "message", "model": MODEL, "usage": {"input_tokens": 100_000, "output_tokens": 1_000}}


def _event(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


class Client:
    """Whoever has the turn's key."""

    def __init__(self, gateway: ModelGateway, turn: GatewayTurn, http: httpx.AsyncClient) -> None:
        self.url = gateway.url
        self.budget = gateway.budget
        self.turn = turn
        self.http = http
        self.headers = {"x-api-key": turn.environment["ANTHROPIC_API_KEY"]}

    async def post(self, call: object = CALL, path: str = "/v1/messages", **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        given: dict[str, Any] = {"headers": self.headers, "json": call} | more
        return await self.http.post(f"{self.url}{path}", **given)

    def stream(self, call: object = CALL) -> AbstractAsyncContextManager[httpx.Response]:
        return self.http.stream("POST", f"{self.url}/v1/messages", headers=self.headers, json=call)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what it waits for happens in another thread
            await asyncio.sleep(0.01)


@asynccontextmanager
async def _gateway(upstream_url: str, budget: ModelBudget | None = None) -> AsyncIterator[ModelGateway]:
    async with model_gateway(AnthropicApi(MODEL, upstream_url, KEY), budget or ModelBudget(100, 1.0)) as gateway:
        yield gateway


@asynccontextmanager
async def _client(
    respond: Respond | Response | NoResponse, budget: ModelBudget | None = None
) -> AsyncIterator[tuple[Client, HttpServer]]:
    with serve_http(respond) as upstream:
        async with _gateway(upstream.url, budget) as gateway, httpx.AsyncClient(timeout=20) as http:
            with gateway.turn() as turn:
                yield Client(gateway, turn, http), upstream


async def test_a_response_is_passed_on_while_it_is_still_being_written() -> None:
    go_on = threading.Event()

    def in_two_halves() -> Iterator[bytes]:
        yield _event(START)
        go_on.wait(5)
        yield _event(END)

    def respond(_: Request) -> Response:
        return Response(200, in_two_halves(), {"Content-Type": "text/event-stream", "request-id": "r1"})

    async with _client(respond) as (client, upstream):
        headers = {**client.headers, "anthropic-version": "2023-06-01", "cookie": "mine", "accept-encoding": "br"}
        body = json.dumps(CALL).encode()
        url = f"{client.url}/v1/messages?beta=true"
        async with client.http.stream("POST", url, headers=headers, content=body) as response:
            pieces = response.aiter_raw()
            assert await asyncio.wait_for(anext(pieces), 5) == _event(START)
            assert client.budget.cost_usd == pytest.approx(0.20001)
            go_on.set()
            assert await asyncio.wait_for(anext(pieces), 5) == _event(END)
        assert (response.headers["content-type"], response.headers["request-id"]) == ("text/event-stream", "r1")
        assert (client.budget.turns, client.budget.cost_usd) == pytest.approx((1, 0.21))
    (request,) = upstream.requests
    assert (request.method, request.path, request.body) == ("POST", "/v1/messages?beta=true", body)
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == ("sk-ant-the-real-key", "2023-06-01")
    assert (request.headers["accept-encoding"], "cookie" in request.headers) == ("identity", False)


async def test_only_the_messages_api_is_open_and_only_to_the_key_of_the_turn_that_runs() -> None:
    with serve_http(Response.of(MESSAGE)) as upstream:
        async with _gateway(upstream.url) as gateway, httpx.AsyncClient() as http:
            with gateway.turn() as first:
                for key in ("", KEY.get_secret_value(), "placeholder-", "pläceholder-ключ"):
                    response = await Client(gateway, first, http).post(headers={"x-api-key": key.encode()})
                    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")
                for path in ("/v1/files", "/v1/messages/batches", "/v1/organizations", "/v1/messages/../files"):
                    assert (await Client(gateway, first, http).post(path=path)).status_code == 404
            closed = await Client(gateway, first, http).post()
            assert (closed.status_code, closed.headers["x-should-retry"]) == (403, "false")
            with gateway.turn() as second:
                assert (await Client(gateway, first, http).post()).status_code == 401
                assert upstream.requests == []
                assert (await Client(gateway, second, http).post()).status_code == 200
            assert gateway.url.startswith("http://127.0.0.1:")


async def test_a_call_that_was_still_arriving_when_its_turn_ended_is_not_passed_on() -> None:
    go_on = asyncio.Event()

    async def in_two_halves() -> AsyncIterator[bytes]:
        yield body[:10]
        await go_on.wait()
        yield body[10:]

    body = json.dumps(CALL).encode()
    with serve_http(Response.of(MESSAGE)) as upstream:
        async with _gateway(upstream.url) as gateway, httpx.AsyncClient() as http:
            with gateway.turn() as turn:
                call = asyncio.create_task(Client(gateway, turn, http).post(content=in_two_halves(), json=None))
                await asyncio.sleep(0.1)
            go_on.set()
            assert (await call).status_code == 403
            assert (gateway.budget.turns, gateway.budget.cost_usd) == (0, 0)
    assert upstream.requests == []


async def test_a_response_does_not_outlive_its_turn_but_is_metered_to_its_end() -> None:
    go_on = threading.Event()

    def in_two_halves() -> Iterator[bytes]:
        yield _event(START)
        go_on.wait(5)
        yield _event(END)

    with serve_http(Response(200, in_two_halves(), STREAMED)) as upstream:
        async with _gateway(upstream.url) as gateway, httpx.AsyncClient() as http, AsyncExitStack() as stack:
            with gateway.turn() as turn:
                client = Client(gateway, turn, http)
                response = await stack.enter_async_context(client.stream())
                pieces = response.aiter_raw()
                await anext(pieces)
            assert gateway.budget.cost_usd == pytest.approx(0.20001)
            go_on.set()
            assert [piece async for piece in pieces] == []
            await _until(lambda: not gateway.budget._open)  # noqa: SLF001
            assert (gateway.budget.turns, gateway.budget.cost_usd) == pytest.approx((1, 0.21))


async def test_whole_responses_that_come_after_their_turn_or_their_client_are_metered() -> None:
    go_on = threading.Event()

    def respond(_: Request) -> Response:
        go_on.wait(10)
        return Response.of(MESSAGE)

    with serve_http(respond) as upstream:
        async with _gateway(upstream.url) as gateway, httpx.AsyncClient() as http:
            with gateway.turn() as turn:
                left, waiting = (asyncio.create_task(Client(gateway, turn, http).post()) for _ in range(2))
                await _until(lambda: len(upstream.requests) == 2)
                left.cancel()
            go_on.set()
            assert (await waiting).content == b""
            await _until(lambda: not gateway.budget._open)  # noqa: SLF001
            assert (gateway.budget.turns, gateway.budget.cost_usd) == pytest.approx((2, 0.42))


async def test_a_call_beyond_the_budget_is_refused_for_good_and_the_turn_knows_why() -> None:
    async with _client(Response.of(MESSAGE), ModelBudget(100, 0.4)) as (client, upstream):
        assert [(await client.post()).status_code for _ in range(2)] == [200, 200]
        assert client.turn.refused_for is None
        refused = await client.post()
        assert (refused.status_code, refused.headers["x-should-retry"]) == (402, "false")
        assert refused.json()["error"]["type"] == "billing_error"
        assert client.turn.refused_for is Limit.BUDGET
        assert client.budget.cost_usd == pytest.approx(0.42)
    assert len(upstream.requests) == 2


async def test_calls_whose_longest_responses_could_exceed_the_budget_follow_each_other() -> None:
    go_on = threading.Event()

    def respond(_: Request) -> Response:
        go_on.wait(10)
        return Response.of(MESSAGE)

    longest = {**CALL, "max_tokens": MAX_OUTPUT_TOKENS}  # 64 cents
    async with _client(respond, ModelBudget(100, 1)) as (client, upstream):
        calls = [asyncio.create_task(client.post(longest)) for _ in range(2)]
        await _until(lambda: len(upstream.requests) == 1)
        short = asyncio.create_task(client.post({**CALL, "max_tokens": 1_000}))
        await _until(lambda: len(upstream.requests) == 2)
        assert client.budget.turns == 2
        go_on.set()
        assert [response.status_code for response in await asyncio.gather(*calls, short)] == [200] * 3


async def test_a_call_beyond_the_model_turns_is_refused_alike() -> None:
    async with _client(Response.of(MESSAGE), ModelBudget(2, 100)) as (client, upstream):
        assert [(await client.post()).status_code for _ in range(3)] == [200, 200, 402]
        assert (client.turn.refused_for, client.budget.turns) == (Limit.TURNS, 2)
    assert len(upstream.requests) == 2


async def test_counting_tokens_costs_nothing_and_is_no_turn() -> None:
    async with _client(Response.of({"input_tokens": 7}), ModelBudget(1, 1)) as (client, _):
        for _ in range(3):
            assert (await client.post({"model": MODEL}, "/v1/messages/count_tokens")).json() == {"input_tokens": 7}
        assert (client.budget.turns, client.budget.cost_usd) == (0, 0)


async def test_a_stream_that_the_client_leaves_is_read_to_its_end_for_what_it_cost() -> None:
    go_on = threading.Event()

    def slow() -> Iterator[bytes]:
        yield _event(START) + _event(WRITTEN)
        go_on.wait(10)
        yield _event(END)

    async with _client(Response(200, slow(), STREAMED)) as (client, _):
        async with client.stream() as response:
            await anext(response.aiter_raw())
        assert client.budget.cost_usd == pytest.approx(0.2 + 0.005)
        go_on.set()
        await _until(lambda: not client.budget._open)  # noqa: SLF001
        assert (client.budget.turns, client.budget.cost_usd) == pytest.approx((1, 0.21))


@pytest.mark.parametrize(
    ("start", "usd"), [(b"", 0.02 + 0.01), (_event(START) + _event(WRITTEN), 0.2 + 0.01)], ids=["silent", "begun"]
)
async def test_a_stream_that_the_client_leaves_and_that_does_not_end_costs_the_most_that_it_may(
    monkeypatch: pytest.MonkeyPatch, start: bytes, usd: float
) -> None:
    monkeypatch.setattr(exchange, "_READ_ON_SECONDS", 0.2)
    go_on = threading.Event()

    def endless() -> Iterator[bytes]:
        yield start
        go_on.wait(10)

    async with _client(Response(200, endless(), STREAMED)) as (client, _):
        async with client.stream({**CALL, "system": "x" * 40_000}):
            pass
        await _until(lambda: not client.budget._open)  # noqa: SLF001
        assert (client.budget.turns, client.budget.cost_usd) == pytest.approx((1, usd), rel=0.01)
        go_on.set()


async def test_a_call_that_is_open_when_the_gateway_closes_costs_the_most_that_it_may() -> None:
    with serve_http(NoResponse.HANG) as upstream:
        async with _gateway(upstream.url) as gateway, httpx.AsyncClient() as http:
            with gateway.turn() as turn:
                call = asyncio.create_task(Client(gateway, turn, http).post())
                await _until(lambda: len(upstream.requests) == 1)
        assert (gateway.budget.turns, gateway.budget.cost_usd) == pytest.approx((1, 0.01), rel=0.01)
        await asyncio.wait([call])


@pytest.mark.parametrize(
    "response",
    [
        Response(200, gzip.compress(json.dumps(MESSAGE).encode()), {**JSON, "Content-Encoding": "gzip"}),
        Response.of(MESSAGE),
    ],
)
async def test_a_response_that_is_compressed_all_the_same_is_read_too(response: Response) -> None:
    async with _client(response) as (client, _):
        assert (await client.post()).json() == MESSAGE
        assert client.budget.cost_usd == pytest.approx(0.21)


@pytest.mark.parametrize(
    ("response", "usd"),
    [
        (Response.of({"type": "message"}), 0.02 + 0.01),
        (Response(200, _event(START) + _event(WRITTEN), STREAMED), 0.2 + 0.01),
    ],
)
async def test_a_response_without_an_end_costs_the_most_that_it_may(response: Response, usd: float) -> None:
    async with _client(response) as (client, _):
        await client.post({**CALL, "system": "x" * 40_000})
        assert (client.budget.turns, client.budget.cost_usd) == pytest.approx((1, usd), rel=0.01)


async def test_a_stream_that_the_api_itself_gives_up_costs_what_was_seen() -> None:
    failed = _event({"type": "error", "error": {"type": "overloaded_error"}})
    async with _client(Response(200, failed, STREAMED)) as (client, upstream):
        await client.post()
        assert (client.budget.turns, client.budget.cost_usd) == (0, 0)
        upstream.respond = Response(200, _event(START) + _event(WRITTEN) + failed, STREAMED)
        await client.post()
        assert (client.budget.turns, client.budget.cost_usd) == pytest.approx((1, 0.2 + 0.005))


async def test_an_error_of_the_api_is_passed_on_and_costs_nothing() -> None:
    async with _client(Response()) as (client, upstream):
        for status, retry in ((401, "false"), (403, None), (429, None), (529, None)):
            upstream.respond = Response.of({"type": "error", "usage": MESSAGE["usage"]}, status)
            response = await client.post()
            assert (response.status_code, response.headers.get("x-should-retry")) == (status, retry)
        assert (client.budget.turns, client.budget.cost_usd, client.turn.refused_for) == (0, 0, None)


@pytest.mark.parametrize("key", ["sk-ant-the-real-key", "sk-ant-no\nheader"], ids=["out of reach", "not to be sent"])
async def test_a_call_that_did_not_reach_the_api_is_a_502_and_costs_nothing(key: str) -> None:
    with serve_http(Response.of(MESSAGE)) as upstream:
        url = upstream.url if "\n" in key else "http://127.0.0.1:9"
        api = AnthropicApi(MODEL, url, SecretStr(key))
        async with model_gateway(api, ModelBudget(100, 1.0)) as gateway, httpx.AsyncClient() as http:
            with gateway.turn() as turn:
                response = await Client(gateway, turn, http).post()
    assert (response.status_code, response.json()["error"]["type"]) == (502, "api_error")
    assert (gateway.budget.turns, gateway.budget.cost_usd) == (0, 0)


async def test_an_api_that_breaks_off_is_a_502_and_may_have_cost_the_most() -> None:
    async with _client(NoResponse.CLOSE) as (client, _):
        assert (await client.post({**CALL, "system": "x" * 40_000})).status_code == 502
        assert (client.budget.turns, client.budget.cost_usd) == pytest.approx((1, 0.02 + 0.01), rel=0.01)


async def test_an_api_that_does_not_respond_in_time_is_a_504_and_may_have_cost_the_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", httpx.Timeout(0.2))
    async with _client(NoResponse.HANG) as (client, _):
        response = await client.post()
        assert (response.status_code, response.json()["error"]["type"]) == (504, "timeout_error")
        assert "x-should-retry" not in response.headers
        assert (client.budget.turns, client.budget.cost_usd) == pytest.approx((1, 0.01), rel=0.01)


async def test_a_body_that_asks_for_more_than_the_session_has_is_refused() -> None:
    bodies = [
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b'{"model": "claude-sonnet-5", "model": "claude-opus-4"}', 400),
        (b'{"model": "claude-opus-4"}', 403),
        (b'{"messages": []}', 403),
        (b'{"model": ["claude-sonnet-5"]}', 403),
        (b'{"model": "claude-sonnet-5", "max_tokens": 64001}', 400),
        (b'{"model": "claude-sonnet-5", "max_tokens": -1}', 400),
        (b'{"model": "claude-sonnet-5", "max_tokens": "64000"}', 400),
        (b'{"model": "claude-sonnet-5", "max_tokens": 64000.5}', 400),
        (b'{"model": "claude-sonnet-5", "max_tokens": 10, "speed": "fast"}', 400),
        (b'{"model": "claude-sonnet-5", "mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]}', 403),
        (b'{"model": "claude-sonnet-5", "tools": [{"name": "a"}, {"type": "web_fetch_20250910"}]}', 403),
        (b'{"model": "claude-sonnet-5", "tools": [{"type": "code_execution_20250825"}]}', 403),
        (b'{"model": "claude-sonnet-5", "tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}]}', 403),
        (b'{"model": "claude-sonnet-5", "tools": [{"type": "advisor_20260301", "model": "claude-opus-4"}]}', 403),
        (b'{"model": "claude-sonnet-5", "tools": {"type": "advisor_20260301"}}', 403),
        (b'{"model": "claude-sonnet-5", "tools": [{"type": ["bash_20250124"]}]}', 403),
        (b'{"model": "claude-sonnet-5", "container": "container_1"}', 403),
        (b'{"model": "claude-sonnet-5", "service_tier": "priority"}', 403),
        (b'{"model": "claude-sonnet-5", "fallbacks": [{"model": "claude-opus-4"}]}', 403),
    ]
    async with _client(Response.of(MESSAGE)) as (client, upstream):
        for body, status in bodies:
            response = await client.post(content=body, json=None)
            assert (response.status_code, response.json()["type"]) == (status, "error"), body
        assert upstream.requests == []


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("source", [{"type": "url", "url": "https://x/?secret"}, {"type": "file", "file_id": "f"}, {}])
async def test_the_provider_is_not_had_to_fetch_what_a_request_does_not_hold(path: str, source: dict[str, Any]) -> None:
    image, document = {"type": "image", "source": source}, {"type": "document", "source": source}
    held = {"type": "document", "source": {"type": "content", "content": [image]}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image]}
    upload = {"type": "container_upload", "file_id": "f"}
    async with _client(Response.of(MESSAGE)) as (client, upstream):
        for block in (image, document, held, result, {**result, "content": [held]}, upload):
            for content in ([block], block):
                call = {**CALL, "messages": [{"role": "user", "content": content}]}
                response = await client.post(call, path)
                assert (response.status_code, response.json()["error"]["type"]) == (403, "permission_error"), block
            assert (await client.post({**CALL, "system": [block]}, path)).status_code == 403
        assert upstream.requests == []


async def test_what_a_request_holds_by_itself_is_passed_on() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    document = {"type": "document", "source": {"type": "content", "content": [image]}}
    text = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
    found = {"type": "search_result", "source": "https://x", "title": "x", "content": []}
    use = {"type": "tool_use", "id": "t", "name": "n", "input": {"source": {"type": "url"}, "file_id": "f"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image, document, text, found]}
    messages = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    async with _client(Response.of(MESSAGE)) as (client, upstream):
        assert (await client.post({**CALL, "messages": messages})).status_code == 200
        assert upstream.requests[0].json()["messages"] == messages


async def test_tools_that_claude_code_runs_and_web_searches_pass() -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}, {"type": "bash_20250124", "name": "bash"}]
    call = {"model": "claude-sonnet-5", "max_tokens": 10, "tools": [*tools, {"name": "Read"}]}
    async with _client(Response.of(MESSAGE)) as (client, upstream):
        assert (await client.post(json=call)).status_code == 200
        assert upstream.requests[0].json()["tools"] == call["tools"]


@pytest.mark.parametrize("length", [f"content-length: {150_000_000}", "transfer-encoding: chunked"])
async def test_a_body_beyond_the_largest_is_refused_before_all_of_it_is_read(length: str) -> None:
    async with _client(Response.of(MESSAGE)) as (client, upstream):
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(client.url).port)
        key = client.headers["x-api-key"]
        writer.write(f"POST /v1/messages HTTP/1.1\r\nhost: gateway\r\nx-api-key: {key}\r\n{length}\r\n\r\n".encode())
        if "chunked" in length:
            for _ in range(MAX_REQUEST_BYTES // 0x100000 + 1):
                writer.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
                await writer.drain()
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 413 ")
        writer.close()
    assert upstream.requests == []


async def test_a_body_that_does_not_arrive_takes_no_place_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarder, "_BODY_SECONDS", 0.1)
    async with _client(Response.of(MESSAGE)) as (client, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(client.url).port)
        key = client.headers["x-api-key"]
        writer.write(f"POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: {key}\r\ncontent-length: 9\r\n\r\n".encode())
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_calls_beyond_the_most_at_a_time_wait_their_turn() -> None:
    go_on = threading.Event()

    def respond(_: Request) -> Response:
        go_on.wait(10)
        return Response.of(MESSAGE)

    async with _client(respond, ModelBudget(100, 100)) as (client, upstream):
        calls = [asyncio.create_task(client.post()) for _ in range(MAX_OPEN_CALLS + 3)]
        await _until(lambda: len(upstream.requests) == MAX_OPEN_CALLS)
        await asyncio.sleep(0.1)
        assert len(upstream.requests) == client.budget.turns == MAX_OPEN_CALLS
        go_on.set()
        assert [response.status_code for response in await asyncio.gather(*calls)] == [200] * (MAX_OPEN_CALLS + 3)

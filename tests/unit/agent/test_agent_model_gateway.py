from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from cloud_agent_runner.model_gateway import ModelGateway, model_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = SecretStr("sk-ant-the-real-key")


class Upstream:
    """A model API that shows what reached it and sends its answer in two halves, the second when allowed."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.go_on = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.lower().splitlines() if "content-length" in line)
        self.requests.append(head + (await reader.readexactly(length)).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nrequest-id: r1\r\nServer: s\r\n")
        writer.write(b"Connection: close\r\n\r\nfirst")
        await writer.drain()
        await self.go_on.wait()
        writer.write(b"second")
        writer.close()


@asynccontextmanager
async def _gateway(upstream: Upstream) -> AsyncIterator[tuple[ModelGateway, httpx.AsyncClient]]:
    async with await asyncio.start_server(upstream.answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with model_gateway(f"http://127.0.0.1:{port}", KEY) as gateway, httpx.AsyncClient() as http:
            yield gateway, http
            upstream.go_on.set()


async def test_an_answer_is_passed_on_while_it_is_still_being_written() -> None:
    upstream = Upstream()
    async with _gateway(upstream) as (gateway, http):
        headers = {"x-api-key": gateway.placeholder_key, "anthropic-version": "2023-06-01", "cookie": "mine"}
        url = f"{gateway.url}/v1/messages?beta=true"
        async with http.stream("POST", url, headers=headers, content=b"{}") as response:
            pieces = response.aiter_raw()
            assert await asyncio.wait_for(anext(pieces), 5) == b"first"
            upstream.go_on.set()
            assert await asyncio.wait_for(anext(pieces), 5) == b"second"
        assert (response.headers["content-type"], response.headers["request-id"]) == ("text/event-stream", "r1")
    request = upstream.requests[0].lower()
    assert request.startswith("post /v1/messages?beta=true http/1.1\r\n")
    assert "\r\nx-api-key: sk-ant-the-real-key\r\n" in request
    assert "\r\nanthropic-version: 2023-06-01\r\n" in request
    assert "cookie" not in request


async def test_only_the_messages_api_is_open_and_only_to_the_placeholder() -> None:
    upstream = Upstream()
    async with _gateway(upstream) as (gateway, http):
        for key in ("", KEY.get_secret_value(), "placeholder-"):
            answer = await http.post(f"{gateway.url}/v1/messages", headers={"x-api-key": key})
            assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
        known = {"x-api-key": gateway.placeholder_key}
        for path in ("/v1/files", "/v1/messages/batches", "/v1/organizations", "/v1/messages/../files"):
            assert (await http.post(f"{gateway.url}{path}", headers=known)).status_code == 404
        assert gateway.url.startswith("http://127.0.0.1:")
    assert upstream.requests == []


async def test_a_model_api_out_of_reach_is_a_502_that_says_so() -> None:
    async with model_gateway("http://127.0.0.1:9", KEY) as gateway, httpx.AsyncClient() as http:
        answer = await http.post(f"{gateway.url}/v1/messages", headers={"x-api-key": gateway.placeholder_key})
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")


async def test_a_key_that_the_model_api_does_not_know_is_not_tried_again() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with model_gateway(url, KEY) as gateway, httpx.AsyncClient() as http:
            answer = await http.post(f"{gateway.url}/v1/messages", headers={"x-api-key": gateway.placeholder_key})
    assert (answer.status_code, answer.headers["x-should-retry"]) == (401, "false")

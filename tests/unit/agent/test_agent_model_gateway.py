from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr
from tests.kit.http_server import Response, serve_http

from cloud_agent_runner.model_gateway import ModelGateway, model_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.kit.http_server import HttpServer, Request, Respond

KEY = SecretStr("sk-ant-the-real-key")


@asynccontextmanager
async def _gateway(respond: Respond | Response) -> AsyncIterator[tuple[ModelGateway, httpx.AsyncClient, HttpServer]]:
    with serve_http(respond) as upstream:
        async with model_gateway(upstream.url, KEY) as gateway, httpx.AsyncClient() as http:
            yield gateway, http, upstream


async def test_a_response_is_passed_on_while_it_is_still_being_written() -> None:
    go_on = threading.Event()

    def in_two_halves() -> Iterator[bytes]:
        yield b"first"
        go_on.wait(5)
        yield b"second"

    def respond(_: Request) -> Response:
        return Response(200, in_two_halves(), {"Content-Type": "text/event-stream", "request-id": "r1"})

    async with _gateway(respond) as (gateway, http, upstream):
        headers = {"x-api-key": gateway.placeholder_key, "anthropic-version": "2023-06-01", "cookie": "mine"}
        url = f"{gateway.url}/v1/messages?beta=true"
        async with http.stream("POST", url, headers=headers, content=b"{}") as response:
            pieces = response.aiter_raw()
            assert await asyncio.wait_for(anext(pieces), 5) == b"first"
            go_on.set()
            assert await asyncio.wait_for(anext(pieces), 5) == b"second"
        assert (response.headers["content-type"], response.headers["request-id"]) == ("text/event-stream", "r1")
    (request,) = upstream.requests
    assert (request.method, request.path, request.body) == ("POST", "/v1/messages?beta=true", b"{}")
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == ("sk-ant-the-real-key", "2023-06-01")
    assert "cookie" not in request.headers


async def test_only_the_messages_api_is_open_and_only_to_the_placeholder() -> None:
    async with _gateway(Response()) as (gateway, http, upstream):
        for key in ("", KEY.get_secret_value(), "placeholder-"):
            response = await http.post(f"{gateway.url}/v1/messages", headers={"x-api-key": key})
            assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")
        known = {"x-api-key": gateway.placeholder_key}
        for path in ("/v1/files", "/v1/messages/batches", "/v1/organizations", "/v1/messages/../files"):
            assert (await http.post(f"{gateway.url}{path}", headers=known)).status_code == 404
        assert gateway.url.startswith("http://127.0.0.1:")
    assert upstream.requests == []


async def test_a_model_api_out_of_reach_is_a_502_that_says_so() -> None:
    async with model_gateway("http://127.0.0.1:9", KEY) as gateway, httpx.AsyncClient() as http:
        response = await http.post(f"{gateway.url}/v1/messages", headers={"x-api-key": gateway.placeholder_key})
    assert (response.status_code, response.json()["error"]["type"]) == (502, "api_error")


async def test_a_key_that_the_model_api_does_not_know_is_not_tried_again() -> None:
    async with _gateway(Response(401)) as (gateway, http, _):
        response = await http.post(f"{gateway.url}/v1/messages", headers={"x-api-key": gateway.placeholder_key})
    assert (response.status_code, response.headers["x-should-retry"]) == (401, "false")

"""No session takes the proxy from the others."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, SessionsTable, StartUpstream, Text, Upstream

pytestmark = pytest.mark.security

UNDER_WAY = 1000
IN_TEN_SECONDS = 20_000


@pytest.fixture
async def neighbour(table: SessionsTable, start_upstream: StartUpstream, text: Text) -> str:
    """Another session, which is visited meanwhile."""
    return str(table.put(ip=(await start_upstream(text("neighbour"))).address, port=3000))


async def assert_is_served(proxy: Proxy, session_id: str) -> None:
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).text == "neighbour"


@pytest.fixture
async def silent(start_upstream: StartUpstream) -> AsyncIterator[Upstream]:
    """A dev server that never answers, as WebSockets and server-sent events never end."""
    end = asyncio.Event()

    async def wait(*_: object) -> None:
        await end.wait()

    yield await start_upstream(wait)
    end.set()


async def test_more_requests_under_way_than_a_session_may_have_are_429_and_harm_no_other(
    proxy: Proxy, table: SessionsTable, silent: Upstream, neighbour: str
) -> None:
    session_id = table.put(ip=silent.address, port=3000)
    request = b"GET /events HTTP/1.1\r\nHost: %s.uat.example.test\r\n\r\n" % session_id.encode()
    async with contextlib.AsyncExitStack() as connections:
        for _ in range(UNDER_WAY):
            _, writer = await asyncio.open_connection(proxy.address, 8080)
            connections.callback(writer.close)
            writer.write(request)
        async with asyncio.timeout(20):
            while len(silent.requests) < UNDER_WAY:  # noqa: ASYNC110 - it comes through another process
                await asyncio.sleep(0.02)
        async with proxy.client(session_id) as client:
            response = await client.get("/")
        assert (response.status_code, response.headers["retry-after"]) == (429, "10")
        assert "Too many requests" in response.text
        assert len(silent.requests) == UNDER_WAY
        await assert_is_served(proxy, neighbour)


async def test_what_has_ended_is_no_longer_under_way(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text, haproxy_command: HaproxyCommand
) -> None:
    session_id = table.put(ip=(await start_upstream(text("live"))).address, port=3000)
    async with proxy.client(session_id) as client:
        for _ in range(3):
            assert (await client.get("/")).text == "live"
    assert "conn_cur=0 http_req_rate(10000)=3" in await haproxy_command(proxy, f"show table demands key {session_id}")


async def test_more_requests_in_ten_seconds_than_a_session_may_begin_are_429_and_harm_no_other(  # noqa: PLR0913, PLR0917 - what the proxy stands between
    proxy: Proxy,
    table: SessionsTable,
    start_upstream: StartUpstream,
    text: Text,
    neighbour: str,
    haproxy_command: HaproxyCommand,
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).status_code == 200
        just_below = f"set table demands key {session_id} data.http_req_rate {IN_TEN_SECONDS - 100}"
        assert (await haproxy_command(proxy, just_below)).strip() == ""
        assert (await client.get("/")).status_code == 200
        statuses = [(await client.get("/")).status_code for _ in range(200)]
        assert 429 in statuses
        assert len(upstream.requests) == 2 + statuses.count(200)
    await assert_is_served(proxy, neighbour)


async def test_a_page_of_three_thousand_modules_is_within_the_limits(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    """Loaded as a load balancer passes it on for one visitor: 128 requests at a time, one connection for each."""

    async def respond(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(text("module"))
            await reader.readuntil(b"\r\n\r\n")

    session_id = table.put(ip=(await start_upstream(respond)).address, port=3000)
    request = b"GET /m.js HTTP/1.1\r\nHost: %s.uat.example.test\r\n\r\n" % session_id.encode()

    async def load(modules: int) -> int:
        reader, writer = await asyncio.open_connection(proxy.address, 8080)
        loaded = 0
        for _ in range(modules):
            writer.write(request)
            loaded += b"HTTP/1.1 200 OK" in await reader.readuntil(b"\r\n\r\nmodule")
        writer.close()
        return loaded

    async with asyncio.timeout(60):
        assert sum(await asyncio.gather(*(load(24) for _ in range(128)))) == 3072


async def test_what_leads_nowhere_fills_no_table(proxy: Proxy, haproxy_command: HaproxyCommand) -> None:
    async with proxy.client("deadbeef") as client:
        assert (await client.get("/")).status_code == 404
    assert "key=deadbeef" not in await haproxy_command(proxy, "show table demands")

"""Which answers count as a visit, and how a visit comes to stand on the session's row."""

from __future__ import annotations

import asyncio
import re
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import websockets

from cloud_agent_proxy.runtime_api import RuntimeApi
from cloud_agent_proxy.sessions_table import SessionsTable as ProxysTable
from cloud_agent_proxy.visits import Visits
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from aiodynamo.client import Client
    from tests.integration.proxy.conftest import OpenDynamodb, Proxy, SessionsTable, StartProxy, StartUpstream, Text
    from tests.integration.proxy.line import Line
    from websockets.asyncio.server import ServerConnection


@pytest.fixture
def haproxy(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> RuntimeApi:
    """The proxy's own HAProxy, reached as its control plane does: from its private folder."""
    (folder,) = proxy.folder.glob("uat-proxy-*")
    monkeypatch.chdir(folder)
    return RuntimeApi()


@pytest.mark.parametrize("status", [200, 201, 204, 301, 304, 399])
async def test_an_answer_that_is_no_error_counts(
    proxy: Proxy, haproxy: RuntimeApi, table: SessionsTable, start_upstream: StartUpstream, status: int
) -> None:
    length = "" if status in {204, 304} else "Content-Length: 0\r\n"
    upstream = await start_upstream(f"HTTP/1.1 {status} Fine\r\n{length}\r\n".encode())
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client:
        assert status == (await client.get("/")).status_code
    assert session_id in await haproxy.time_since_visits()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503])
async def test_an_error_of_the_dev_server_does_not_count(
    proxy: Proxy, haproxy: RuntimeApi, table: SessionsTable, start_upstream: StartUpstream, status: int
) -> None:
    upstream = await start_upstream(f"HTTP/1.1 {status} Wrong\r\nContent-Length: 0\r\n\r\n".encode())
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client:
        assert status == (await client.get("/")).status_code
    assert session_id not in await haproxy.time_since_visits()


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING", "STOPPED"])
async def test_our_own_pages_do_not_count(
    proxy: Proxy, haproxy: RuntimeApi, table: SessionsTable, unused_address: str, status: str
) -> None:
    session_id = table.put(status=status, ip=unused_address, port=3000)
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).is_error
        assert (await client.post("/")).is_error
    assert session_id not in await haproxy.time_since_visits()


async def test_a_refused_request_does_not_count(
    proxy: Proxy, haproxy: RuntimeApi, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("never reached"))
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client:
        assert (await client.request("TRACE", "/")).status_code == 405
    assert session_id not in await haproxy.time_since_visits()


async def test_the_load_balancers_health_checks_do_not_count(proxy: Proxy, haproxy: RuntimeApi) -> None:
    before = (await haproxy.time_since_visits()).keys()
    async with proxy.client("") as client:
        assert (await client.get("/health", headers={"Host": "10.0.3.4:8080"})).status_code == 200
    assert set() == (await haproxy.time_since_visits()).keys() - before


async def test_an_opened_websocket_counts(
    proxy: Proxy, haproxy: RuntimeApi, table: SessionsTable, unused_address: str
) -> None:
    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websockets.serve(hold, unused_address, 3000):
        session_id = table.put(ip=unused_address, port=3000)
        async with websockets.connect(f"ws://{session_id}.uat.example.test/", host=proxy.address, port=8080):
            assert session_id in await haproxy.time_since_visits()


async def test_the_end_of_a_long_answer_is_no_second_visit(
    proxy: Proxy, haproxy: RuntimeApi, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    may_end = asyncio.Event()

    async def slow(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        await may_end.wait()
        writer.write(b"done")
        await writer.drain()

    upstream = await start_upstream(slow)
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client, client.stream("GET", "/") as response:
        before = (await haproxy.time_since_visits())[session_id]
        may_end.set()
        assert await response.aread() == b"done"
    assert (await haproxy.time_since_visits())[session_id] >= before


class ShiftedClock:
    """The time of day, ahead by as much as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class CountingTable(ProxysTable):
    """The sessions table as the proxy writes it, and how often it did."""

    def __init__(self, name: str, dynamodb: Client) -> None:
        super().__init__(name, dynamodb)
        self.writes: list[str] = []

    async def note_visit(self, session_id: str, visited_at: datetime) -> None:
        await super().note_visit(session_id, visited_at)
        self.writes.append(session_id)


async def test_many_requests_are_one_write_a_minute(  # noqa: PLR0913, PLR0917 - what the proxy stands between
    proxy: Proxy,
    haproxy: RuntimeApi,
    table: SessionsTable,
    start_upstream: StartUpstream,
    text: Text,
    dynamodb: Client,
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(ip=upstream.address, port=3000)
    store, clock = CountingTable(table.name, dynamodb), ShiftedClock()
    visits = Visits(haproxy, store, clock)
    async with proxy.client(session_id) as client:
        for expected_writes in (1, 2):
            for _ in range(20):
                assert (await client.get("/")).status_code == 200
                await visits.record()
            assert expected_writes == store.writes.count(session_id)
            clock.ahead += timedelta(minutes=1)


async def test_a_visit_is_not_lost_while_the_table_is_away(  # noqa: PLR0913, PLR0917 - what the proxy stands between
    proxy: Proxy,
    haproxy: RuntimeApi,
    table: SessionsTable,
    other_table: SessionsTable,
    start_upstream: StartUpstream,
    text: Text,
    line: Line,
    open_dynamodb: OpenDynamodb,
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(ip=upstream.address, port=3000)
    other_table.put(id=session_id)  # which the proxy's own control plane does not write
    visits = Visits(haproxy, ProxysTable(other_table.name, await open_dynamodb(f"http://127.0.0.1:{line.port}")))
    await line.cut()
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).status_code == 200
    await visits.record()
    assert other_table.last_visited_at(session_id) is None
    await line.restore()
    await visits.record()
    assert other_table.last_visited_at(session_id) is not None


async def test_the_proxy_writes_a_visit_within_seconds_and_a_later_one_when_it_ends(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(ip=upstream.address, port=3000)
    with start_proxy() as proxy:
        async with proxy.client(session_id) as client:
            before = datetime.now(UTC) - timedelta(seconds=1)  # HAProxy counts whole seconds since a visit
            await client.get("/")
            await asyncio.to_thread(eventually, lambda: table.last_visited_at(session_id) is not None)
            first = table.last_visited_at(session_id)
            assert first is not None
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first)
            assert before <= datetime.fromisoformat(first) <= datetime.now(UTC)
            await client.get("/")
        proxy.signal(signal.SIGTERM)
        assert await asyncio.to_thread(proxy.process.wait, 10) == 0
    second = table.last_visited_at(session_id)
    assert second is not None
    assert second > first

"""Stops and moves apply on every proxy within two seconds; a table that is away takes nothing away."""

from __future__ import annotations

import asyncio
import contextlib
import html
from typing import TYPE_CHECKING, Any

import pytest
import websockets
from tests.integration.proxy.visitor import until_answered
from tests.kit.sessions import serialized

from cloud_agent.adapters.table.keys import session_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, StartUpstream, Text
    from tests.integration.proxy.line import Line
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

TWO_SECONDS = 2


async def becomes(expected: object, ask: Callable[[], Awaitable[object]], seconds: float) -> None:
    actual: object = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while expected != (actual := await ask()):  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.02)
    assert expected == actual


def websocket(proxy: Proxy, session_id: str) -> websockets.connect:
    return websockets.connect(f"ws://{session_id}.uat.example.test:8080/", host=proxy.address, port=8080)


@pytest.fixture
async def dev_server(unused_address: str) -> AsyncIterator[str]:
    """A dev server with an open WebSocket for everybody, which answers 200 to everything else."""

    def page_or_upgrade(connection: ServerConnection, request: Request) -> Response | None:
        return None if "Upgrade" in request.headers else connection.respond(200, "old")

    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websockets.serve(hold, unused_address, 3000, process_request=page_or_upgrade):
        yield unused_address


async def test_a_stop_closes_open_websockets_and_answers_410(
    proxy: Proxy, table: SessionsTable, dev_server: str
) -> None:
    session_id, other = table.put(ip=dev_server, port=3000), table.put(ip="127.0.0.2", port=3000)
    async with proxy.client(other) as client:
        await client.get("/")
    async with websocket(proxy, session_id) as socket, proxy.client(session_id) as client:
        table.put(id=session_id, ip=dev_server, port=3000, status="STOPPED")
        async with asyncio.timeout(TWO_SECONDS):
            await socket.wait_closed()
        assert (await client.get("/")).status_code == 410


async def test_a_stop_leaves_the_websockets_of_other_sessions_open(
    proxy: Proxy, table: SessionsTable, dev_server: str, start_upstream: StartUpstream, text: Text
) -> None:
    neighbour = await start_upstream(text("neighbour"))
    staying, stopping = table.put(ip=dev_server, port=3000), table.put(ip=neighbour.address, port=3000)
    async with websocket(proxy, staying) as socket, proxy.client(stopping) as client:
        assert (await client.get("/")).text == "neighbour"
        table.put(id=stopping, status="STOPPED")

        await until_answered(410, lambda: client.get("/"), TWO_SECONDS)
        await asyncio.wait_for(await socket.ping(), 5)


async def test_a_move_closes_connections_to_the_former_address(
    proxy: Proxy, table: SessionsTable, dev_server: str, start_upstream: StartUpstream, text: Text
) -> None:
    new = await start_upstream(text("new"))
    session_id = table.put(ip=dev_server, port=3000)
    async with websocket(proxy, session_id) as socket, proxy.client(session_id) as client:
        assert (await client.get("/")).text.strip() == "old"
        table.put(id=session_id, ip=new.address, port=3000)
        async with asyncio.timeout(TWO_SECONDS):
            await socket.wait_closed()
        assert (await client.get("/")).text == "new"


async def test_an_address_that_turns_bad_is_no_longer_visited(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("reached"))
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).status_code == 200
        table.put(id=session_id, ip="169.254.169.254", port=3000)

        await until_answered(502, lambda: client.get("/"), TWO_SECONDS)


async def test_a_deleted_row_ends_the_route(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("reached"))
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client:
        assert (await client.get("/")).status_code == 200
        key = serialized(session_key(session_id))
        table.client.delete_item(TableName=table.name, Key=key)

        await until_answered(404, lambda: client.get("/"), TWO_SECONDS)


async def health(proxy: Proxy) -> dict[str, Any]:
    async with proxy.client("") as client:
        response = await client.get("/health/ready", headers={"Host": "10.0.0.7:8080"})
    return dict(response.json())


async def test_without_its_table_the_proxy_serves_what_it_knows_and_says_so(
    start_proxy: StartProxy, table: SessionsTable, line: Line, start_upstream: StartUpstream, text: Text
) -> None:
    upstream, other = await start_upstream(text("live")), await start_upstream(text("live"))
    known, ended = table.put(ip=upstream.address, port=3000), table.put(status="STOPPED")
    never_seen = table.put(ip=other.address, port=3000)
    start = start_proxy(f"http://127.0.0.1:{line.port}")
    # Starting waits without the event loop, which the line needs: so it waits in a thread.
    proxy = await asyncio.to_thread(start.__enter__)
    try:
        async with proxy.client(known) as client, proxy.client(ended) as former, proxy.client(never_seen) as stranger:

            async def degraded() -> object:
                return (await health(proxy))["degraded"]

            assert (await client.get("/")).text == "live"
            assert (await former.get("/")).status_code == 410
            await becomes(False, degraded, 5)
            await line.cut()
            await becomes(True, degraded, 10)
            assert (await client.get("/")).text == "live"
            assert (await former.get("/")).status_code == 410
            response = await stranger.get("/")
            assert response.status_code == 503
            assert "Sessions can't be looked up right now" in html.unescape(response.text)
            assert (await health(proxy))["table_lag_seconds"] > 0
            assert (await former.get("/health", headers={"Host": "10.0.0.7:8080"})).status_code == 200
            await line.restore()
            await becomes(False, degraded, 10)
            assert (await stranger.get("/")).text == "live"
    finally:
        await asyncio.to_thread(start.__exit__, None, None, None)


async def test_a_new_proxy_learns_sessions_as_they_are_visited(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(ip=upstream.address, port=3000)
    for _ in range(2):
        with start_proxy() as proxy:
            async with proxy.client(session_id) as client:
                assert (await client.get("/")).text == "live"
            assert (await health(proxy))["sessions_known"] == 1


async def test_visitors_of_one_session_share_one_read(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("live"))
    session_id = table.put(ip=upstream.address, port=3000)
    async with proxy.client(session_id) as client:
        responses = await asyncio.gather(*(client.get("/") for _ in range(50)))
    assert {"live"} == {response.text for response in responses}
    assert (
        len([line for line in proxy.log() if line["message"] == "route assigned" and session_id == line["session_id"]])
        == 1
    )

"""A proxy that goes takes no request with it, and one that comes knows every running session at once."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, StartUpstream, Text
    from tests.integration.proxy.line import Line

pytestmark = pytest.mark.security

AT_ONCE = 50


async def visit(proxy: Proxy, session_id: str) -> tuple[int, str]:
    async with proxy.client(session_id) as client:
        response = await client.get("/")
    return response.status_code, response.text


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_every_first_visitor_of_a_new_proxy_is_answered(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream, text: Text, end: signal.Signals
) -> None:
    sessions = {}
    for number in range(5):
        upstream = await start_upstream(text(f"app {number}"))
        sessions[table.put(ip=upstream.address, port=3000)] = f"app {number}"
    with start_proxy() as former:
        await asyncio.gather(*(visit(former, session_id) for session_id in sessions))
        former.signal(end)
        await asyncio.to_thread(former.process.wait, 10)
    with start_proxy(address=former.address) as proxy:
        visits = [(session_id, said) for session_id, said in sessions.items() for _ in range(AT_ONCE)]
        answers = await asyncio.gather(*(visit(proxy, session_id) for session_id, _ in visits))
    assert [(200, said) for _, said in visits] == answers


async def test_an_upload_and_an_event_stream_under_way_are_finished_before_the_proxy_ends(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    uploading, streaming = asyncio.Event(), asyncio.Event()

    async def take(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = await reader.readexactly(5)
        uploading.set()
        received += await reader.readexactly(5)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + received)
        await writer.drain()

    async def tell(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\n")
        await writer.drain()
        await streaming.wait()
        writer.write(b"data: 2\n\n")
        await writer.drain()

    uploads = table.put(ip=(await start_upstream(take)).address, port=3000)
    events = table.put(ip=(await start_upstream(tell)).address, port=3000)
    host = b"Host: %s.uat.example.test\r\n"
    with start_proxy() as proxy:
        async with proxy.client(events) as client, client.stream("GET", "/") as response:
            lines = response.aiter_text()
            assert await anext(lines) == "data: 1\n\n"
            reader, writer = await asyncio.open_connection(proxy.address, 8080)
            writer.write(b"POST / HTTP/1.1\r\n" + host % uploads.encode() + b"Content-Length: 10\r\n\r\n12345")
            async with asyncio.timeout(10):
                await uploading.wait()
                proxy.signal(signal.SIGTERM)
                while not [line for line in proxy.log() if line["message"] == "drain started"]:  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.02)
                streaming.set()
                assert await anext(lines) == "data: 2\n\n"
                writer.write(b"67890")
                assert (await reader.read()).endswith(b"1234567890")
            writer.close()
        assert await asyncio.to_thread(proxy.process.wait, 10) == 0


async def test_known_sessions_are_served_from_the_first_moment_the_table_is_away(
    start_proxy: StartProxy, table: SessionsTable, line: Line, start_upstream: StartUpstream, text: Text
) -> None:
    session_id = table.put(ip=(await start_upstream(text("live"))).address, port=3000)
    start = start_proxy(f"http://127.0.0.1:{line.port}")
    # Starting waits without the event loop, which the line needs: so it waits in a thread.
    proxy = await asyncio.to_thread(start.__enter__)
    try:
        assert await visit(proxy, session_id) == (200, "live")
        await line.cut()
        for _ in range(20):  # two seconds and more: before the table is missed, as after
            assert {(200, "live")} == set(await asyncio.gather(*(visit(proxy, session_id) for _ in range(5))))
            await asyncio.sleep(0.1)
        assert [record for record in proxy.log() if "sessions table is away" in record["message"]]
    finally:
        await asyncio.to_thread(start.__exit__, None, None, None)

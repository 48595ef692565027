"""Bodies, events and WebSockets pass as they come, and end when either side leaves."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

import httpx
import pytest
import websockets
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Origin, Subprotocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream, Text


async def test_a_first_visit_may_be_an_upload(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def count(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = map(int, re.findall(rb"content-length: (\d+)", head))
        body = b"%d" % len(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    upstream = await start_upstream(count)
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        response = await client.post("/upload", content=b"x" * 30_000_000)
    assert response.text == "30000000"


async def test_the_dev_server_itself_answers_expect_100_continue(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def respond(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(5)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
        await writer.drain()

    upstream = await start_upstream(respond)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    reader, writer = await asyncio.open_connection(proxy.address, 8080)
    writer.write(b"POST / HTTP/1.1\r\nHost: " + host + b"\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    async with asyncio.timeout(5):
        assert b"HTTP/1.1 100" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"12345")
        assert b"HTTP/1.1 200" in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"12345"
    writer.close()


async def test_chunks_pass_both_ways_with_their_trailers(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def respond(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await reader.readuntil(b"x-check: 1\r\n\r\n")
        seen = b"trailer seen" if body.startswith(b"3\r\nabc\r\n") else b"cut up"
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            b"%x\r\n%s\r\n0\r\nX-Sum: 7\r\n\r\n" % (len(seen), seen)
        )
        await writer.drain()

    upstream = await start_upstream(respond)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    seen = await proxy.exchange(
        b"POST / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\nTE: trailers\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Check: 1\r\n\r\n"
    )
    assert b"trailer seen" in seen
    assert b"x-sum: 7" in seen.lower()


async def test_server_sent_events_are_not_held_back(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    first_was_read = asyncio.Event()

    async def respond(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await writer.drain()
        await first_was_read.wait()
        writer.write(b"data: 2\n\n")
        await writer.drain()

    upstream = await start_upstream(respond)
    async with (
        proxy.client(table.put(ip=upstream.address, port=3000)) as client,
        client.stream("GET", "/events") as response,
    ):
        events = response.aiter_text()
        assert await anext(events) == "data: 1\n\n"  # the second is not even written before this one has arrived
        first_was_read.set()
        assert await anext(events) == "data: 2\n\n"


async def test_a_visitor_who_leaves_ends_the_request_at_the_dev_server(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def never_answer(_: bytes, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        begun.set()
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        ended.set()

    upstream = await start_upstream(never_answer)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    _, writer = await asyncio.open_connection(proxy.address, 8080)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    async with asyncio.timeout(5):
        await begun.wait()
        writer.close()
        await ended.wait()


@pytest.fixture
async def websocket_server(unused_address: str) -> AsyncIterator[str]:
    """A dev server's hot-reload socket: echoes, and speaks the subprotocol `vite-hmr`."""

    async def echo_messages(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo_messages, unused_address, 3000, subprotocols=[Subprotocol("vite-hmr")]):
        yield unused_address


async def test_a_websocket_with_a_subprotocol_lives(proxy: Proxy, table: SessionsTable, websocket_server: str) -> None:
    session_id = table.put(ip=websocket_server, port=3000)
    async with websockets.connect(
        f"ws://{session_id}.uat.example.test:8080/hmr",
        host=proxy.address,
        port=8080,
        subprotocols=[Subprotocol("vite-hmr")],
        origin=Origin(f"http://{session_id}.uat.example.test:8080"),
    ) as socket:
        assert socket.subprotocol == "vite-hmr"
        for message in ("reload", b"\x00" * 200_000):
            await socket.send(message)
            assert message == await socket.recv()


async def test_an_upload_reaches_the_dev_server_as_it_comes(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def read_slowly(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _piece in range(3):
            await pieces.put(await reader.readexactly(5))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    upstream = await start_upstream(read_slowly)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    reader, writer = await asyncio.open_connection(proxy.address, 8080)
    writer.write(b"POST / HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 15\r\n\r\n")
    async with asyncio.timeout(5):
        for piece in (b"12345", b"67890", b"abcde"):  # the next is not even sent before this one has arrived
            writer.write(piece)
            assert piece == await pieces.get()
        assert b"HTTP/1.1 204" in await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_a_visitor_who_leaves_amid_an_upload_ends_it_at_the_dev_server(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def take(_: bytes, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        begun.set()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        ended.set()

    upstream = await start_upstream(take)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    _, writer = await asyncio.open_connection(proxy.address, 8080)
    writer.write(b"POST / HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 1000\r\n\r\n12345")
    async with asyncio.timeout(5):
        await begun.wait()
        writer.close()
        await ended.wait()


async def test_a_visitor_who_leaves_amid_a_download_ends_it_at_the_dev_server(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    ended = asyncio.Event()

    async def send_for_ever(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        try:
            while True:
                writer.write(b"data: 1\n\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    upstream = await start_upstream(send_for_ever)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    reader, writer = await asyncio.open_connection(proxy.address, 8080)
    writer.write(b"GET /events HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    async with asyncio.timeout(5):
        await reader.readuntil(b"data: 1\n\n")
        writer.close()
        await ended.wait()


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
async def test_an_answer_that_breaks_off_is_not_taken_for_whole(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, framing: bytes
) -> None:
    upstream = await start_upstream(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n5\r\nhello\r\n")
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")


async def test_a_visitor_who_reads_slowly_slows_the_dev_server_down(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    sent, size = 0, 64 * 1024 * 1024
    stuck = asyncio.Event()

    async def send(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"x" * 65536)
            try:
                async with asyncio.timeout(0.5):
                    await writer.drain()
            except TimeoutError:
                stuck.set()
                await writer.drain()
            sent += 65536

    upstream = await start_upstream(send)
    host = f"{table.put(ip=upstream.address, port=3000)}.uat.example.test".encode()
    reader, writer = await asyncio.open_connection(proxy.address, 8080)
    writer.write(b"GET /large HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    async with asyncio.timeout(20):
        await stuck.wait()  # what nobody reads waits at the dev server, and not in the proxy's memory
        assert sent < size // 2
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(size // 65536):
            await reader.readexactly(65536)
    writer.close()


async def test_each_side_hears_how_the_other_closed_the_websocket(
    proxy: Proxy, table: SessionsTable, unused_address: str
) -> None:
    received: asyncio.Queue[tuple[int | None, str | None]] = asyncio.Queue()

    async def talk(connection: ServerConnection) -> None:
        if connection.request and connection.request.path == "/leave":
            await connection.close(4001, "restarting")
        await connection.wait_closed()
        await received.put((connection.close_code, connection.close_reason))

    session_id = table.put(ip=unused_address, port=3000)
    url = f"ws://{session_id}.uat.example.test:8080"
    async with serve(talk, unused_address, 3000):
        async with websockets.connect(f"{url}/leave", host=proxy.address, port=8080) as socket:
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4001, "restarting")
        assert await received.get() == (4001, "restarting")
        async with websockets.connect(f"{url}/stay", host=proxy.address, port=8080) as socket:
            async with asyncio.timeout(5):
                await (await socket.ping())
            await socket.close(4002, "done")
        assert await received.get() == (4002, "done")


async def test_a_refused_websocket_is_refused_with_the_dev_servers_own_words(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("no such socket").replace(b"200 OK", b"403 Forbidden"))
    session_id = table.put(ip=upstream.address, port=3000)
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(f"ws://{session_id}.uat.example.test:8080/x", host=proxy.address, port=8080)
    assert (refused.value.response.status_code, refused.value.response.body) == (403, b"no such socket")

"""Who is slow waits for himself only."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartUpstream, Text, Upstream

pytestmark = pytest.mark.security

MANY = 200
HEAD_SECONDS = 10


@contextlib.asynccontextmanager
async def visitors(
    proxy: Proxy, beginning: bytes
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    """Open many connections that have all begun in the same way."""
    async with contextlib.AsyncExitStack() as stack:
        connections = []
        for _ in range(MANY):
            reader, writer = await asyncio.open_connection(proxy.address, 8080)
            stack.callback(writer.close)
            writer.write(beginning)
            connections.append((reader, writer))
        yield connections


@pytest.fixture
async def big(start_upstream: StartUpstream) -> Upstream:
    """A dev server whose answer is more than the sockets on the way can hold."""

    async def respond(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 16000000\r\n\r\n" + bytes(16_000_000))
        await writer.drain()

    return await start_upstream(respond)


async def test_a_head_that_does_not_arrive_is_408_after_ten_seconds_and_others_are_served_meanwhile(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("quick"))
    session_id = table.put(ip=upstream.address, port=3000)
    begun = asyncio.get_running_loop().time()
    async with visitors(proxy, b"GET / HTTP/1.1\r\nHost: %s.uat" % session_id.encode()) as connections:
        async with proxy.client(session_id) as client:
            while asyncio.get_running_loop().time() < begun + HEAD_SECONDS - 2:
                assert (await client.get("/")).text == "quick"
                for _, writer in connections:
                    writer.write(b"x")  # a byte now and then does not buy more time
                await asyncio.sleep(1)
        served = len(upstream.requests)
        async with asyncio.timeout(HEAD_SECONDS):
            answers = await asyncio.gather(*(reader.read() for reader, _ in connections))
    assert {b"HTTP/1.1 408"} == {answer[:12] for answer in answers}
    assert served == len(upstream.requests)


async def test_slow_bodies_and_slow_readers_hold_up_nobody_else(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text, big: Upstream
) -> None:
    async def wait_for_a_body(_: bytes, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await reader.read()

    slow = await start_upstream(wait_for_a_body)
    uploads, downloads = table.put(ip=slow.address, port=3000), table.put(ip=big.address, port=3000)
    quick = table.put(ip=(await start_upstream(text("quick"))).address, port=3000)
    host = b"Host: %s.uat.example.test\r\n"
    upload = b"POST / HTTP/1.1\r\n" + host % uploads.encode() + b"Content-Length: 1000000\r\n\r\nbeginning"
    download = b"GET / HTTP/1.1\r\n" + host % downloads.encode() + b"\r\n"
    async with visitors(proxy, upload):
        _, idle_reader = await asyncio.open_connection(proxy.address, 8080)
        idle_reader.write(download)
        async with asyncio.timeout(10):
            while len(slow.requests) < MANY or not big.requests:  # noqa: ASYNC110 - they come through another process
                await asyncio.sleep(0.02)
        async with proxy.client(quick) as client:
            assert (await client.get("/")).text == "quick"
        idle_reader.close()

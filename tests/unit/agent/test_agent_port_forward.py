from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.kit.http_server import Response, serve_http
from tests.kit.own_certificate import own_certificate
from tests.kit.ports import free_port
from tests.kit.raw_server import serve_raw

from cloud_agent_runner.preview.port_forward import forwarded

if TYPE_CHECKING:
    from pathlib import Path


async def _serve_upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer like a WebSocket server: switch protocols, then echo bytes until the client has said enough."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.write(b"goodbye")


async def test_a_long_lived_exchange_passes_both_ways_and_ends_one_way_at_a_time() -> None:
    port = free_port()
    async with serve_raw(_serve_upgrade) as target, forwarded("127.0.0.1", port, "127.0.0.1", target):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n")
        assert b"101 Switching" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        frame = bytes(range(256)) * 4096
        writer.write(frame)
        assert frame == await asyncio.wait_for(reader.readexactly(len(frame)), 5)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b"goodbye"
        writer.close()


async def test_no_server_behind_the_port_closes_the_connection() -> None:
    port, nobody = free_port(), free_port()
    async with forwarded("127.0.0.1", port, "127.0.0.1", nobody):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_an_open_exchange_does_not_hold_the_end_up() -> None:
    port = free_port()
    async with serve_raw(_serve_upgrade) as target:
        async with asyncio.timeout(5), forwarded("127.0.0.1", port, "127.0.0.1", target):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_target_that_takes_only_tls_gets_it_once_it_has_shown_that(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own_certificate(tmp_path))
    port = free_port()
    with serve_http(Response(200, b"hello" * 50_000), tls) as server:
        async with forwarded("127.0.0.1", port, "127.0.0.1", server.port), httpx.AsyncClient() as http:
            with pytest.raises(httpx.TransportError):
                await http.get(f"http://127.0.0.1:{port}")
            for _ in range(2):
                assert (await http.get(f"http://127.0.0.1:{port}")).content == b"hello" * 50_000


async def test_nobody_is_asked_for_tls_who_was_asked_nothing() -> None:
    port, seen = free_port(), list[bytes]()

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())

    async with serve_raw(listen) as target, forwarded("127.0.0.1", port, "127.0.0.1", target):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await asyncio.sleep(0.1)
    assert seen == [b""]

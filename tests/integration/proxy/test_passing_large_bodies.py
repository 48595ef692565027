"""A gibibyte passes either way, and neither part of the proxy grows by more than its buffers; the gate is closed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.proxy.visitor import GATED, access

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, StartUpstream

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(300)]

GIBIBYTE = 1024**3
PIECE = b"x" * 1024**2
GROWTH_KIB = 4 * 1024  # buffers of 16 KB for each connection, and a little for each part itself


def peak_kib(pid: int) -> int:
    """Return the most memory the process ever had resident (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def peaks_kib(proxy: Proxy) -> dict[str, int]:
    return {"haproxy": peak_kib(proxy.haproxy_pid()), "control plane": peak_kib(proxy.process.pid)}


async def visit_once(proxy: Proxy, session_id: str) -> None:
    """Have the session looked up and the first buffers made."""
    async with proxy.client(session_id, access(session_id)) as client:
        assert (await client.get("/")).status_code == 200


async def test_a_gibibyte_is_uploaded_in_flat_memory(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def count(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = 0
        while head.startswith(b"POST") and received < GIBIBYTE and (piece := await reader.read(len(PIECE))):
            received += len(piece)
        body = b"%d" % received
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    upstream = await start_upstream(count)
    session_id = table.put(ip=upstream.address, port=3000)
    with start_proxy(**GATED) as proxy:
        await visit_once(proxy, session_id)
        before = peaks_kib(proxy)
        reader, writer = await asyncio.open_connection(proxy.address, 8080)
        headers = {"Host": f"{session_id}.uat.example.test", **access(session_id), "Content-Length": str(GIBIBYTE)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST / HTTP/1.1\r\n{lines}\r\n".encode())
        for _ in range(GIBIBYTE // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
        assert b"HTTP/1.1 200" in await reader.readuntil(b"\r\n\r\n")
        assert str(GIBIBYTE).encode() == await reader.readexactly(len(str(GIBIBYTE)))
        writer.close()
        after = peaks_kib(proxy)
    assert {part: after[part] for part in after if after[part] > before[part] + GROWTH_KIB} == {}


async def test_a_gibibyte_is_downloaded_in_flat_memory(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    async def send(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = GIBIBYTE if head.startswith(b"GET /large") else 0
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _piece in range(size // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()

    upstream = await start_upstream(send)
    session_id = table.put(ip=upstream.address, port=3000)
    with start_proxy(**GATED) as proxy:
        await visit_once(proxy, session_id)
        before = peaks_kib(proxy)
        received = 0
        async with proxy.client(session_id, access(session_id)) as client, client.stream("GET", "/large") as response:
            async for piece in response.aiter_bytes():
                received += len(piece)
        after = peaks_kib(proxy)
    assert received == GIBIBYTE
    assert {part: after[part] for part in after if after[part] > before[part] + GROWTH_KIB} == {}

"""The two halves of the way from a task's 127.0.0.1 to the machine's."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from embedded_aws.containers import relay


async def _echo_from(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"echo: " + await reader.read())
    await writer.drain()
    writer.close()


async def _said_to(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
    reader, writer = streams
    writer.write(b"hello")
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_the_machines_half_connects_to_the_port_in_a_directory_of_any_path(
    tmp_path: Path,
) -> None:
    server = await asyncio.start_server(_echo_from, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    directory = tmp_path / ("long" * 40)
    directory.mkdir()

    await relay.serve_machine(directory, [port])

    handle = os.open(directory, os.O_PATH)
    try:
        assert await _said_to(await asyncio.open_unix_connection(f"/proc/self/fd/{handle}/{port}")) == b"echo: hello"
    finally:
        os.close(handle)
        server.close()


async def test_the_tasks_half_accepts_on_loopback_and_passes_on(unused_tcp_port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = await asyncio.start_unix_server(_echo_from, str(Path(folder) / str(unused_tcp_port)))

        await relay.serve_task(Path(folder), [unused_tcp_port])

        assert await _said_to(await asyncio.open_connection("127.0.0.1", unused_tcp_port)) == b"echo: hello"
        server.close()

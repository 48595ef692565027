"""Carries connections from a task's own 127.0.0.1 to this machine's, so that both know its services by the same URLs.

Two halves, joined by one Unix socket for each port in a directory that both see: in the task's network namespace
`python relay.py DIRECTORY PORT...` accepts on 127.0.0.1, and on this machine `serve_machine` connects there. So a task
reaches these ports of the machine and no others. The first half runs in a container, with the standard library alone;
it ends when its standard input does, which is when the embedded AWS has ended, however it did.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
    Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 65_536


async def serve_task(directory: Path, ports: Iterable[int]) -> None:
    """Accept in the task's network namespace from now on."""
    for port in ports:
        connect = partial(asyncio.open_unix_connection, str(directory / str(port)))
        await asyncio.start_server(_passing_on(connect), _LOOPBACK, port)


async def serve_machine(directory: Path, ports: Iterable[int]) -> None:
    """Accept what tasks pass on from now on, for as long as the event loop runs."""
    handle = os.open(directory, os.O_PATH)  # never closed: a state directory's path may be too long for a socket's name
    for port in ports:
        connect = partial(asyncio.open_connection, _LOOPBACK, port)
        await asyncio.start_unix_server(_passing_on(connect), f"/proc/self/fd/{handle}/{port}")


def _passing_on(connect: Callable[[], Awaitable[Streams]]) -> Accept:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target_reader, target_writer = await connect()
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))
        finally:
            target_writer.close()
            writer.close()

    return accept


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the source ends, then pass the end on: the other direction may still have much to say."""
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    with suppress(OSError):
        sink.write_eof()


async def _run(directory: str, *ports: str) -> None:
    await serve_task(Path(directory), map(int, ports))
    print("ready", flush=True)  # noqa: T201 - what the embedded AWS waits for
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))

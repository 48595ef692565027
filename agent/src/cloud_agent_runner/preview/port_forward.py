"""Raw TCP from one port to another, for a dev server that listens elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CHUNK_BYTES = 65536


@asynccontextmanager
async def forwarded(host: str, port: int, to_host: str, to_port: int) -> AsyncIterator[None]:
    """Pass raw TCP from `host`:`port` to `to_host`:`to_port`, both ways, while the context lasts.

    Raises:
        OSError: `host`:`port` is taken.
    """
    exchanges: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = asyncio.current_task()
        if exchange is not None:
            exchanges.add(exchange)
            exchange.add_done_callback(exchanges.discard)
        with suppress(asyncio.CancelledError):  # at the context's end; Python 3.11 would log it as a fault
            await _exchange(reader, writer, to_host, to_port)

    server = await asyncio.start_server(accept, host, port)
    try:
        yield
    finally:
        server.close()
        for exchange in exchanges:
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_host: str, to_port: int) -> None:
    try:
        target_reader, target_writer = await asyncio.open_connection(to_host, to_port)
    except OSError:
        writer.close()
        return
    try:
        await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))
    finally:
        target_writer.close()
        writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the source ends, then pass the end on: the other direction may still have much to say."""
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    with suppress(OSError):
        sink.write_eof()

"""A TCP server for a test of bytes that no HTTP library would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve_raw(serve: Serve, address: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Have `serve` speak on each connection until the block is left; gives the port, a free one unless one is given.

    A connection is closed when `serve` returns. Leaving the block aborts the others.
    """
    writers: set[asyncio.StreamWriter] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await serve(reader, writer)
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(converse, address, port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()

"""Raw TCP from one port to another, for a dev server that listens elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.tls import open_tls, refuses_plain, speaks_tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

_CHUNK_BYTES = 65536


@asynccontextmanager
async def forwarded(host: str, port: int, to_host: str, to_port: int) -> AsyncIterator[None]:
    """Pass raw TCP from `host`:`port` to `to_host`:`to_port`, both ways, while the context lasts.

    A target that takes nothing but TLS gets that: from the second connection on, the first of which shows it.

    Raises:
        OSError: `host`:`port` is taken.
    """
    exchanges: set[asyncio.Task[None]] = set()
    target = _Target(to_host, to_port)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = asyncio.current_task()
        if exchange is not None:
            exchanges.add(exchange)
            exchange.add_done_callback(exchanges.discard)
        with suppress(asyncio.CancelledError):  # at the context's end; Python 3.11 would log it as a fault
            await _exchange(reader, writer, target)

    server = await asyncio.start_server(accept, host, port)
    try:
        yield
    finally:
        server.close()
        for exchange in exchanges:
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)


class _Target:
    """Where connections go, and whether over TLS. Nobody is asked for it who has said anything without."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._is_plain: bool | None = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._is_plain is False:
            return await open_tls(self._host, self._port)
        return await asyncio.open_connection(self._host, self._port)

    async def has_said(self, response: bytes) -> None:
        """Learn from what it has sent first on a connection, which is nothing if it closed that."""
        if self._is_plain is None:
            if not refuses_plain(response):
                self._is_plain = True
            elif await speaks_tls(self._host, self._port):
                self._is_plain = False


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: _Target) -> None:
    try:
        target_reader, target_writer = await target.connect()
    except OSError:
        writer.close()
        return
    has_asked = False

    async def asks(chunk: bytes) -> None:
        nonlocal has_asked
        has_asked = bool(chunk)

    async def responds(chunk: bytes) -> None:
        if has_asked:
            await target.has_said(chunk)

    try:
        await asyncio.gather(_copy(reader, target_writer, asks), _copy(target_reader, writer, responds))
    finally:
        target_writer.close()
        writer.close()


async def _copy(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, begins: Callable[[bytes], Awaitable[None]]
) -> None:
    """Copy until the source ends, then pass the end on: the other direction may still have much to say.

    Over TLS, no direction ends alone. `begins` gets the first bytes before they're passed on; none if there are none.
    """
    first = True
    with suppress(OSError):
        while True:
            try:
                chunk = await source.read(_CHUNK_BYTES)
            except ConnectionError:  # some refuse what isn't TLS by that
                chunk = b""
            if first:
                first = False
                await begins(chunk)
            if not chunk:
                break
            sink.write(chunk)
            await sink.drain()
    with suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()
        else:
            sink.close()

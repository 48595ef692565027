"""The way to the sessions table, which a test can cut and restore."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from tests.kit.raw_server import serve_raw


class Line:
    def __init__(self, target: str) -> None:
        self._host, self._port = urlsplit(target).hostname, urlsplit(target).port
        self._open = contextlib.AsyncExitStack()
        self.port = 0

    async def restore(self) -> None:
        self.port = await self._open.enter_async_context(serve_raw(self._join, port=self.port))

    async def cut(self) -> None:
        await self._open.aclose()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

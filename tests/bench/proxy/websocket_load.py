"""WebSockets by the thousand, and one that is spoken through."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.bench.proxy.visitor import Target

PATH = "/echo"
_OPENING_AT_ONCE = 100
_SECONDS = 20
_MESSAGE = b"0123456789abcdef"
_SENT = bytes((0x82, 0x80 | len(_MESSAGE))) + bytes(4) + _MESSAGE  # binary, whole, masked with zeros
_RETURNED = bytes((0x82, len(_MESSAGE))) + _MESSAGE


class WebSocketRefusedError(Exception):
    """The answer was not 101, or none."""


class _Idle(asyncio.Protocol):
    def __init__(self) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._head = b""

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._head.endswith(b"\r\n\r\n") and not self.opened.done():
            if self._head.startswith(b"HTTP/1.1 101 "):
                self.opened.set_result(None)
            else:
                self.opened.set_exception(WebSocketRefusedError(self._head[:200].decode(errors="replace")))

    def connection_lost(self, _: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(WebSocketRefusedError("closed without an answer"))
            self.opened.exception()  # nobody may be waiting any more


class IdleWebSockets:
    """WebSockets that say nothing, all open until the end."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = itertools.cycle(targets)
        self._transports: list[asyncio.Transport] = []
        self._turn = asyncio.Semaphore(_OPENING_AT_ONCE)

    async def open_up_to(self, count: int) -> None:
        """Open as many more as are missing to `count`.

        Raises:
            WebSocketRefusedError: one was not opened.
            TimeoutError: one took longer than 20 s.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(count - len(self._transports)):
                    group.create_task(self._open())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the others followed from it, or say the same
        closed = sum(transport.is_closing() for transport in self._transports)
        if closed:
            raise WebSocketRefusedError(f"{closed} of {count} were closed again")

    async def _open(self) -> None:
        target = next(self._targets)
        async with self._turn, asyncio.timeout(_SECONDS):
            loop = asyncio.get_running_loop()
            transport, idle = await loop.create_connection(_Idle, target.place.address, target.place.port)
            self._transports.append(transport)
            transport.write(target.websocket(PATH))
            await idle.opened

    def close(self) -> None:
        """Close all at once."""
        for transport in self._transports:
            transport.abort()


@contextlib.asynccontextmanager
async def idle_websockets(targets: Sequence[Target]) -> AsyncIterator[IdleWebSockets]:
    """Open them to each target in turn; close at the end of the block whatever was opened in it."""
    websockets = IdleWebSockets(targets)
    try:
        yield websockets
    finally:
        websockets.close()
        await asyncio.sleep(0)


def echo_times_ms(target: Target, count: int) -> list[float]:
    """Send `count` messages of 16 bytes, one after the other; return how long each took to come back, in ms.

    Raises:
        WebSocketRefusedError: the WebSocket was not opened or did not return what was sent.
    """
    times = []
    with socket.create_connection((target.place.address, target.place.port), _SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(target.websocket(PATH))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = connection.recv(4096)
            if not part:
                break
            head += part
        if not head.startswith(b"HTTP/1.1 101 "):
            raise WebSocketRefusedError(head[:200].decode(errors="replace") or "closed without an answer")
        for _ in range(count):
            began = time.perf_counter()
            connection.sendall(_SENT)
            returned = connection.recv(4096)
            times.append((time.perf_counter() - began) * 1000)
            if returned != _RETURNED:
                raise WebSocketRefusedError(f"sent {_MESSAGE!r}, got {returned!r}")
    return times

"""Which hop between the proxy and a dev server is broken, found out by trying."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_proxy.session import Address

_CONNECT_SECONDS = 1
_RESPONSE_SECONDS = 2
_REMEMBERED_SECONDS = 1
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9]{2}[ \r\n]")
_LONGEST_STATUS_LINE = 16  # bytes of it that are looked at: "HTTP/1.1 200 " and some


class Finding(Enum):
    """How far a request comes."""

    RESPONDS = auto()
    REFUSED = auto()
    """The container is up, and nothing listens on the port."""
    UNREACHABLE = auto()
    """Nothing came back from the container."""
    CLOSED = auto()
    """The connection was taken and closed: so does the container's port forward when nothing listens behind it."""
    SILENT = auto()
    """The connection was taken, and no answer came within 2 s."""
    NONSENSE = auto()
    """Something came, but not HTTP."""
    NO_ADDRESS = auto()
    """There was nothing to try."""


@dataclass(frozen=True)
class _Probed:
    began_at: float
    finding: asyncio.Task[Finding]


class Probe:
    """Tries dev servers, each at most once a second; all who ask meanwhile share the finding."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._latest: dict[Address, _Probed] = {}

    async def try_out(self, address: Address) -> Finding:
        """Return how far a request to this address comes, at most a second ago; takes 3 s at most.

        The caller answers for the address: it must be one that visitors are sent to.
        """
        now = self._clock()
        self._latest = {
            tried: probed
            for tried, probed in self._latest.items()
            if not probed.finding.done() or now - probed.began_at < _REMEMBERED_SECONDS
        }
        if address not in self._latest:
            self._latest[address] = _Probed(now, asyncio.create_task(_try_out(address)))
        return await asyncio.shield(self._latest[address].finding)


async def _try_out(address: Address) -> Finding:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(str(address.ip), address.port)
    except ConnectionRefusedError:
        return Finding.REFUSED
    except OSError:  # TimeoutError is one
        return Finding.UNREACHABLE
    try:
        async with asyncio.timeout(_RESPONSE_SECONDS):
            return await _ask(reader, writer, address.port)
    except TimeoutError:
        return Finding.SILENT
    finally:
        writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> Finding:
    """Send a request that is safe by its method and renders no page in most frameworks; any status is an answer."""
    writer.write(f"OPTIONS / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
    try:
        beginning = await reader.readexactly(_LONGEST_STATUS_LINE)
    except asyncio.IncompleteReadError as error:
        beginning = error.partial
    except ConnectionError:
        return Finding.CLOSED
    if not beginning:
        return Finding.CLOSED
    return Finding.RESPONDS if _STATUS_LINE.match(beginning) else Finding.NONSENSE

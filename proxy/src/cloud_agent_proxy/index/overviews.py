"""What the table says of all sessions, read once for all who ask at about the same time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_agent_proxy.session import Session
    from cloud_agent_proxy.sessions_table import Occupancy

MOST_SESSIONS = 200  # the newest, and whichever are live besides
_KEPT_SECONDS = 2


class Sessions(Protocol):
    """Where sessions are read from; each raises TableUnavailableError."""

    async def newest(self, most: int) -> list[str]:
        """Return the ids of the sessions that began last, the newest first."""

    async def occupancy(self) -> Occupancy:
        """Return which sessions have a slot, and which wait for one."""

    async def get_many(self, session_ids: Sequence[str]) -> dict[str, Session | None]:
        """Return the sessions of these ids."""


@dataclass(frozen=True)
class Overview:
    """The sessions, the newest first, how many have a slot, and the ids of those that wait, in their order."""

    sessions: tuple[Session, ...]
    running: int
    queue: tuple[str, ...]


class Overviews:
    """Reads the table at most every two seconds, however many ask."""

    def __init__(self, sessions: Sessions, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._clock = clock
        self._reading = asyncio.Lock()
        self._last: tuple[float, Overview] | None = None

    async def current(self) -> Overview:
        """Return how it is, or was two seconds ago.

        Raises:
            TableUnavailableError: the table could not be read.
        """
        async with self._reading:
            if self._last is None or self._last[0] <= self._clock() - _KEPT_SECONDS:
                self._last = self._clock(), await self._read()
            return self._last[1]

    async def _read(self) -> Overview:
        newest, occupancy = await asyncio.gather(self._sessions.newest(MOST_SESSIONS), self._sessions.occupancy())
        ids = list(dict.fromkeys([*newest, *occupancy.running, *occupancy.waiting]))
        found = [
            one for one in (await self._sessions.get_many(ids)).values() if one and one.repo
        ]  # the canary has none
        found.sort(key=lambda session: session.created_at, reverse=True)
        return Overview(tuple(found), len(occupancy.running), occupancy.waiting)

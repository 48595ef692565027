"""Visits count as activity: when a session was last visited is written on its row."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from cloud_agent_proxy.runtime_api import VISITS_REMEMBERED, RuntimeApi, RuntimeApiError
from cloud_agent_proxy.sessions_table import TableUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 5
_LAST_SECONDS = 10
# Once written, a visit is out of HAProxy's list by the time the session may be written again.
_WRITE_EVERY = VISITS_REMEMBERED


class VisitStore(Protocol):
    """Where visits are written; it raises TableUnavailableError."""

    async def note_visit(self, session_id: str, visited_at: datetime) -> None:
        """Write when the session was last visited; writing the same twice changes nothing."""


class Visits:
    """Reads off HAProxy who was visited, and writes each session once a minute at most, whatever its traffic."""

    def __init__(
        self, haproxy: RuntimeApi, store: VisitStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._haproxy = haproxy
        self._store = store
        self._clock = clock
        self._looked_at = clock()
        self._unwritten: dict[str, datetime] = {}
        """The latest visit of each session that has one to be written."""
        self._written: dict[str, datetime] = {}
        """When that was looked for which was written last, of each session written within the minute."""

    async def record_forever(self) -> None:
        """Record every few seconds; whatever goes wrong, visitors are served and the next round tries again.

        A pause comes first: HAProxy, which has just been started, answers only once it serves its first visitor.
        """
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.record()
            except Exception:
                logger.exception("visits not recorded")

    async def record(self) -> None:
        """Look for visits, and write those of sessions that were not written within the minute.

        What cannot be read or written is logged and left for the next call.
        """
        await self._look()
        await self._write([session_id for session_id in self._unwritten if session_id not in self._written])

    async def record_last(self) -> None:
        """Look once more and write every visit not yet written, for 10 s at most: there is no next call."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await self._look()
                await self._write(list(self._unwritten))
        if self._unwritten:
            logger.error("visits lost", extra={"sessions": sorted(self._unwritten)})

    async def _look(self) -> None:
        asked_at = self._clock()
        try:
            visits = await self._haproxy.time_since_visits()
        except RuntimeApiError as error:
            logger.error("visits not read", extra={"reason": str(error)})  # noqa: TRY400 - the text says it all
            return
        self._looked_at = self._clock()
        # abs: a clock that is set back must not silence a session until it has caught up
        self._written = {id_: at for id_, at in self._written.items() if abs(asked_at - at) < _WRITE_EVERY}
        for session_id, time_since in visits.items():
            visited_at = asked_at - time_since
            written = self._written.get(session_id)
            if written is None or visited_at > written:
                self._unwritten[session_id] = visited_at

    async def _write(self, session_ids: Iterable[str]) -> None:
        for session_id in session_ids:
            try:
                await self._store.note_visit(session_id, self._unwritten[session_id])
            except TableUnavailableError as error:
                # It goes to the end of the line, so that a row that cannot be written holds up no other.
                self._unwritten[session_id] = self._unwritten.pop(session_id)
                logger.error(  # noqa: TRY400 - the error names the table and what it said
                    "visit not written", extra={"session_id": session_id, "reason": str(error)}
                )
                return
            del self._unwritten[session_id]
            self._written[session_id] = self._looked_at

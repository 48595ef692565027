"""What the proxy knows of sessions, kept as fresh as the table allows."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cloud_agent_proxy.runtime_api import RuntimeApiError
from cloud_agent_proxy.session import Address, AddressRefusedError, Session, SessionStatus
from cloud_agent_proxy.sessions_table import TableUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from ipaddress import IPv4Network

    from cloud_agent_proxy.revisions import Revisions
    from cloud_agent_proxy.routes import Routes

logger = logging.getLogger(__name__)

_LOOK_UP_SECONDS = 3  # resolve.lua waits a second longer
_REFRESH_SECONDS = 1  # half of the two within which a stop or a move applies
_ENDED_REMEMBERED = 1_000  # for their pages while the table is away
_NO_SESSION = "--------"  # asked for when no session is known, to learn whether the table answers
_FORGET_AFTER_SECONDS = 600
_LOOK_FOR_UNUSED_SECONDS = 30  # at least twice while HAProxy remembers a visit, so that none is missed


class SessionStore(Protocol):
    """Where sessions are read from; both methods raise TableUnavailableError."""

    async def get(self, session_id: str) -> Session | None:
        """Return the session, None when there is none of that id."""

    async def get_many(self, session_ids: list[str]) -> dict[str, Session | None]:
        """Return the sessions that the store answered for, None for those that do not exist."""


@dataclass(frozen=True)
class Freshness:
    """How far the directory can be trusted."""

    degraded: bool
    table_lag_seconds: float
    sessions_known: int


@dataclass(frozen=True)
class _Known:
    session: Session
    asked_at: float


class SessionDirectory:
    """Reads sessions when they are first visited, and again every second until they are over or unused.

    While the table is away it answers from what it knows.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a session is read from, and what it's told to
        self,
        store: SessionStore,
        routes: Routes,
        revisions: Revisions,
        agent_network: IPv4Network,
        when_ended: Callable[[str], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._when_ended = when_ended
        self._routes = routes
        self._revisions = revisions
        self._agent_network = agent_network
        self._clock = clock
        self._live: dict[str, _Known] = {}
        self._used_at: dict[str, float] = {}
        """When each of the live sessions was last asked for, as far as is known."""
        self._ended: dict[str, Session] = {}
        self._look_ups: dict[str, asyncio.Task[Session | None]] = {}
        self._learning = asyncio.Lock()
        self._degraded = False
        self._read_at = self._looked_for_unused_at = clock()

    @property
    def freshness(self) -> Freshness:
        """Say whether the table answers and how old the last answer is."""
        lag = round(self._clock() - self._read_at, 3)
        return Freshness(self._degraded, lag, len(self._live))

    async def look_up(self, session_id: str) -> Session | None:
        """Return the session as it is in the table now, its route assigned; None when there is none.

        Visitors of one session who ask at the same time share one read.

        Raises:
            TableUnavailableError: the table is away and the session was never seen.
        """
        if session_id in self._live:
            self._used_at[session_id] = self._clock()
        if self._degraded:  # refresh() alone finds out when the table is back: visitors need not wait for it
            return self._recall(session_id)
        look_up = self._look_ups.get(session_id)
        if look_up is None:
            look_up = asyncio.create_task(self._read(session_id))
            self._look_ups[session_id] = look_up
            look_up.add_done_callback(lambda _: self._look_ups.pop(session_id))
        return await asyncio.shield(look_up)

    async def current(self, session_id: str) -> Session | None:
        """Return the session as it was read last, a second ago at most where it's live; None when there is none.

        Raises:
            TableUnavailableError: the table is away and the session was never seen.
        """
        known = self._live.get(session_id)
        if known is None:
            return await self.look_up(session_id)
        self._used_at[session_id] = self._clock()
        return known.session

    async def route_to(self, session_id: str) -> Address | None:
        """Return where a visitor of the session may go, None when a page must say why nowhere.

        Raises:
            TableUnavailableError: the table is away and the session was never seen.
        """
        address = self._address_of(await self.look_up(session_id))
        # The two differ while HAProxy has not taken a change: then nobody may go to either.
        return address if address == self._routes.address_of(session_id) else None

    async def refresh_forever(self) -> None:
        """Read every known session once a second; every half minute, forget those that nobody uses."""
        while True:
            await self.refresh()
            if self._clock() - self._looked_for_unused_at >= _LOOK_FOR_UNUSED_SECONDS:
                self._looked_for_unused_at = self._clock()
                await self.forget_unused()
            await asyncio.sleep(_REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Read every known session once and apply what has changed."""
        asked_at = self._clock()
        try:
            answers = await self._store.get_many(list(self._live) or [_NO_SESSION])
        except TableUnavailableError as error:
            self._lose_table(error)
            return
        if self._degraded:
            logger.info("sessions table is back")
        self._degraded = False
        self._read_at = asked_at
        for session_id, session in answers.items():
            await self._learn(session_id, session, asked_at)

    async def forget_unused(self) -> None:
        """Forget each session not visited for 10 minutes to which no request or WebSocket is open.

        The next visit learns it again, so none is forgotten while the table is away. Called less than once a
        minute, it takes used sessions for unused ones: HAProxy remembers visits no longer.
        """
        if self._degraded:
            return
        async with self._learning:
            try:
                await self._forget_unused()
            except RuntimeApiError as error:
                logger.error("unused routes not withdrawn", extra={"reason": str(error)})  # noqa: TRY400 - the text says it all

    async def _forget_unused(self) -> None:
        now = self._clock()
        for session_id in self._live.keys() & await self._routes.visited():
            self._used_at[session_id] = now
        unused = [id_ for id_ in self._live if now - self._used_at[id_] >= _FORGET_AFTER_SECONDS]
        busy = await self._routes.withdraw_unless_busy(unused)
        for session_id in unused:
            if session_id in busy:
                self._used_at[session_id] = now
            else:
                await self._revisions.assign(session_id, None)
                self._drop(session_id)
        if forgotten := set(unused) - busy:
            logger.info("sessions forgotten", extra={"session_ids": sorted(forgotten)})

    async def _read(self, session_id: str) -> Session | None:
        asked_at = self._clock()
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                session = await self._store.get(session_id)
        except (TableUnavailableError, TimeoutError) as error:
            self._lose_table(error)
            return self._recall(session_id)
        await self._learn(session_id, session, asked_at)
        return session

    def _recall(self, session_id: str) -> Session | None:
        known = self._live.get(session_id)
        session = known.session if known else self._ended.get(session_id)
        if session is None:
            raise TableUnavailableError(f"session {session_id} is not known and the table is away")
        return session

    def _lose_table(self, error: Exception) -> None:
        if not self._degraded:
            logger.error("sessions table is away, serving what is known", extra={"reason": repr(error)})
        self._degraded = True

    async def _learn(self, session_id: str, session: Session | None, asked_at: float) -> None:
        """Apply an answer of the table, unless a later question has been answered already."""
        async with self._learning:
            known = self._live.get(session_id)
            if session_id in self._ended or (known and known.asked_at > asked_at):
                return
            if known and known.session == session:
                self._live[session_id] = _Known(session, asked_at)
                return
            try:
                await self._revisions.assign(session_id, _revision_of(session))
                await self._routes.assign(session_id, self._address_of(session))
            except RuntimeApiError as error:
                # What is known stays as it was, so that the next refresh finds the difference again.
                logger.error(  # noqa: TRY400 - the error names the command and HAProxy's answer
                    "route not changed", extra={"session_id": session_id, "reason": str(error)}
                )
                return
            if session is not None and not session.status.is_final:
                self._live[session_id] = _Known(session, asked_at)
                self._used_at.setdefault(session_id, asked_at)
                return
            self._drop(session_id)
            if session is not None:
                self._remember_ended(session)
                await self._when_ended(session_id)

    def _drop(self, session_id: str) -> None:
        self._live.pop(session_id, None)
        self._used_at.pop(session_id, None)

    def _address_of(self, session: Session | None) -> Address | None:
        try:
            return session.address_within(self._agent_network) if session else None
        except AddressRefusedError as error:
            logger.error("address refused", extra={"reason": str(error)})  # noqa: TRY400 - the text says it all
            return None

    def _remember_ended(self, session: Session) -> None:
        self._ended[session.id] = session
        if len(self._ended) > _ENDED_REMEMBERED:
            del self._ended[next(iter(self._ended))]


def _revision_of(session: Session | None) -> int | None:
    return session.page_revision if session and session.status is SessionStatus.RUNNING else None

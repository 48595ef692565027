"""The session's transcript as its supervisor writes it: whoever records an event never waits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.agent_api_connection import (
    AgentApiRefusedError,
    AgentApiUnavailableError,
    SessionOverError,
)
from cloud_agent_runner.transcript.events import BATCH_LIMIT_BYTES, EVENTS_LIMIT, fitting, new_event, size
from cloud_agent_runner.transcript.masking import MaskingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.transcript.masking import SecretMask

    Event = dict[str, Any]

logger = logging.getLogger(__name__)

# Events of so long make one request: what it costs is counted in requests.
GATHER_SECONDS = 1.0
UNWATCHED_GATHER_SECONDS = 10.0  # a tool's call and its result, mostly
WAITING_LIMIT_BYTES = 8_000_000
_ROOM_BYTES = 1_000  # for what stands around a batch's events
_MASKED_AT_ONCE = 100
_NOT_MASKED = "{} events couldn't be searched for secrets, so they aren't recorded."
_LEFT_OUT = "{} events aren't recorded: the Agent API couldn't be reached for so long that there was no room for more."


class Transcript:
    """Events in the order in which they were recorded, sent in batches, each exactly once while the agent lives.

    They wait in memory while the API can't be reached. When 8 MB wait, what comes then is left out, and counted.
    An event is sent a second after it was recorded while somebody watches, and ten seconds after it while nobody does.
    """

    def __init__(self, api: AgentApi, mask: SecretMask, *, gather_seconds: float = GATHER_SECONDS) -> None:
        self.prompt_id: str | None = None
        self._api = api
        self._mask = mask
        self._gather_seconds = gather_seconds
        self._recorded: deque[tuple[Event, int]] = deque()  # as they came, with their sizes
        self._ready: deque[tuple[Event, int]] = deque()  # masked, with theirs
        self._waiting_bytes = 0
        self._left_out = 0
        self._next_batch = 1
        self._batch: list[Event] = []  # that is being sent: what is sent again is the same
        self._news = asyncio.Event()
        self._is_watched = asyncio.Event()
        self._is_watched.set()  # until it's known
        self._sending = asyncio.Lock()
        self._is_closed = False

    def record(self, kind: str, **members: Any) -> None:  # noqa: ANN401 - the members of the kind's event
        """Add an event of now, of the turn that runs."""
        if self._is_closed:
            return
        event = new_event(kind, self.prompt_id, members)
        weight = size(event)
        if self._waiting_bytes + weight > WAITING_LIMIT_BYTES:
            self._left_out += 1
            return
        self._waiting_bytes += weight
        self._recorded.append((event, weight))
        self._news.set()

    def watched(self, watched: bool) -> None:  # noqa: FBT001 - what it's called with says what it is
        """Say whether somebody has the session's page open: who does needs no patience."""
        if watched:
            self._is_watched.set()
        else:
            self._is_watched.clear()

    async def run(self) -> None:
        """Send what is recorded, until cancelled or the transcript takes no more. No fault of it ends the session."""
        try:
            await self._run()
        except Exception:
            logger.exception("transcript ended")
            self._is_closed = True

    async def _run(self) -> None:
        while not self._is_closed:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(self._gather_seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_watched.wait(), UNWATCHED_GATHER_SECONDS - self._gather_seconds)
            try:
                await self._send_all()
            except AgentApiUnavailableError as error:
                logger.warning("transcript waits", extra={"reason": str(error)})
                self._news.set()

    async def close(self, seconds: float) -> None:
        """Send what there is still, for so long at most; nothing is recorded after it."""
        try:
            async with asyncio.timeout(seconds):
                await self._send_all()
        except Exception as error:  # noqa: BLE001 - whatever it is, the session has its own end
            events = len(self._batch) + len(self._ready) + len(self._recorded)
            logger.warning("transcript not complete", extra={"events": events, "reason": type(error).__name__})
        finally:
            self._is_closed = True
            await self._mask.aclose()

    async def _send_all(self) -> None:
        async with self._sending:
            while not self._is_closed and (self._batch or self._ready or self._recorded or self._left_out):
                await self._prepare()
                await self._send()

    async def _prepare(self) -> None:
        """Mask what was recorded, and begin a batch where there is none."""
        if self._recorded and len(self._ready) < EVENTS_LIMIT:
            events = [event for event, _ in islice(self._recorded, _MASKED_AT_ONCE)]
            masked = await self._masked(events)
            for _ in events:  # only now: cancelled before, they'd be lost
                _, weight = self._recorded.popleft()
                self._waiting_bytes -= weight
            self._add(masked)
        if self._left_out and not self._recorded:
            lost, self._left_out = self._left_out, 0
            self._add([new_event("notice", None, {"text": _LEFT_OUT.format(lost)})])
        if not self._batch:
            room = BATCH_LIMIT_BYTES - _ROOM_BYTES
            while self._ready and len(self._batch) < EVENTS_LIMIT and self._ready[0][1] < room:
                event, weight = self._ready.popleft()
                self._waiting_bytes -= weight
                self._batch.append(event)
                room -= weight + 1

    async def _masked(self, events: list[Event]) -> list[Event]:
        try:
            return await self._mask.over(events)
        except MaskingError as error:
            logger.error("events not masked", extra={"events": len(events), "reason": str(error)})  # noqa: TRY400 - the reason is the whole story
            return [new_event("notice", None, {"text": _NOT_MASKED.format(len(events))})]

    def _add(self, events: Iterable[Event]) -> None:
        for event in events:
            fitted = fitting(event)
            weight = size(fitted)
            self._ready.append((fitted, weight))
            self._waiting_bytes += weight

    async def _send(self) -> None:
        """Send the batch until it's accepted; under another number where somebody else has used this one."""
        while self._batch and not self._is_closed:
            try:
                state = await self._api.append_to_transcript(self._next_batch, self._batch)
            except SessionOverError:
                self._is_closed = True
                return
            except AgentApiRefusedError as error:
                logger.error("transcript refused", extra={"reason": error.reason})  # noqa: TRY400 - the reason is the whole story
                self._is_closed = error.status != 400  # noqa: PLR2004 - a batch that's a fault of ours is dropped
                self._batch = []
                return
            self._next_batch = state.next_batch
            if state.accepted:
                self._batch = []
            if state.full:
                logger.warning("transcript full")
                self._is_closed = True

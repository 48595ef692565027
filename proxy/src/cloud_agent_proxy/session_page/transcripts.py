"""The transcripts of the sessions that people look at: each object is fetched once, and what is kept is bounded."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from cloud_agent_proxy.session_page.conversation import Conversation
from cloud_agent_proxy.session_page.events import read_events
from cloud_agent_proxy.sessions_table import TranscriptLength

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

logger = logging.getLogger(__name__)

MOST_BYTES = 64_000_000  # of the 512 MB of the proxy's task
_MOST_SESSIONS = 1_100  # more than streams are open: one forgotten while it's looked at would be read again each second
_KEPT_SECONDS = 600
_MOST_BATCHES = 2_000  # the newest; all of them are in the download
_AT_ONCE = 16


class ObjectStore(Protocol):
    """Where the objects are; it raises BucketUnavailableError."""

    async def get(self, key: str) -> bytes | None:
        """Return the object, None when there is none."""


@dataclass
class _Kept:
    conversation: Conversation = field(default_factory=Conversation)
    length: TranscriptLength = field(default_factory=TranscriptLength)
    """How many objects have been read."""
    reading: asyncio.Task[None] | None = None
    asked_at: float = 0


class Transcripts:
    """Reads what is new in a session's transcript, once for all who ask, and forgets it when nobody asks any more.

    What it keeps takes `most_bytes` of memory at most: beyond that, the oldest entries go, of each session as many as
    exceed its equal share.
    """

    def __init__(
        self, objects: ObjectStore, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._objects = objects
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        """The one that was asked for last is the last."""

    async def read(self, session_id: str, length: TranscriptLength, patience_seconds: float) -> Conversation:
        """Return the session's conversation up to that length, or as much of it as could be read in time.

        The rest is read all the same, and is there the next time.

        Raises:
            BucketUnavailableError: S3 did not hand over the next object.
        """
        kept = self._kept[session_id] = self._kept.pop(session_id) if session_id in self._kept else _Kept()
        kept.asked_at = self._clock()
        self._forget_unused()
        if kept.reading is None and kept.length != length:
            kept.reading = asyncio.create_task(self._catch_up(session_id, kept, length))
        if kept.reading is not None:
            reading = kept.reading
            done, _ = await asyncio.wait({reading}, timeout=patience_seconds)
            if done:
                kept.reading = None if kept.reading is reading else kept.reading
                reading.result()
        return kept.conversation

    def known(self, session_id: str) -> Conversation:
        """Return the session's conversation as far as it has been read."""
        kept = self._kept.get(session_id)
        return kept.conversation if kept else Conversation()

    async def lines(self, session_id: str, length: TranscriptLength) -> AsyncIterator[bytes]:
        """Return the objects of the workflow's stream and then of the agent's, one after the other, as they are.

        Raises:
            BucketUnavailableError: S3 did not hand over the next one.
        """
        for stream, batches in (("workflow", length.workflow), ("agent", length.agent)):
            for batch in range(1, batches + 1):
                yield await self._objects.get(_key(session_id, stream, batch)) or b""

    async def picture(self, session_id: str, digest: str) -> bytes | None:
        """Return a picture of the session's by its SHA-256, None when there is none.

        Raises:
            BucketUnavailableError: S3 did not respond.
        """
        return await self._objects.get(f"transcripts/{session_id}/pictures/{digest}.png")

    async def _catch_up(self, session_id: str, kept: _Kept, length: TranscriptLength) -> None:
        conversation, read = kept.conversation, kept.length
        for batch in range(read.workflow + 1, length.workflow + 1):
            lines = await self._objects.get(_key(session_id, "workflow", batch))
            conversation.add_history(read_events(lines or b""))
            kept.length = replace(kept.length, workflow=batch)
        first = max(read.agent, length.agent - _MOST_BATCHES) + 1
        conversation.dropped = conversation.dropped or first > read.agent + 1
        for start in range(first, length.agent + 1, _AT_ONCE):
            following = range(start, min(start + _AT_ONCE, length.agent + 1))
            found = await asyncio.gather(*(self._objects.get(_key(session_id, "agent", batch)) for batch in following))
            for batch, lines in zip(following, found, strict=True):
                if lines is None:  # its time was over, or the role may not read it
                    logger.warning("no such part of a transcript", extra={"session_id": session_id, "batch": batch})
                    conversation.dropped = True
                conversation.add(read_events(lines or b""))
            kept.length = replace(kept.length, agent=following[-1])
            self._shrink()

    def _forget_unused(self) -> None:
        until = self._clock() - _KEPT_SECONDS
        while len(self._kept) > _MOST_SESSIONS or next(iter(self._kept.values())).asked_at < until:
            del self._kept[next(iter(self._kept))]

    def _shrink(self) -> None:
        if sum(kept.conversation.size for kept in self._kept.values()) > self._most_bytes:
            for kept in self._kept.values():
                kept.conversation.shrink(self._most_bytes // len(self._kept))


def _key(session_id: str, stream: str, batch: int) -> str:
    return f"transcripts/{session_id}/{stream}/{batch:010d}.jsonl"

"""What is new on the open pages: each session is looked at once a second, for all who look at it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from cloud_agent_proxy.session import SessionStatus
from cloud_agent_proxy.session_page.conversation import Conversation, Known
from cloud_agent_proxy.session_page.objects import BucketUnavailableError
from cloud_agent_proxy.session_page.renderer import part_key
from cloud_agent_proxy.session_page.view import view_of
from cloud_agent_proxy.sessions_table import TableUnavailableError, TranscriptLength

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from cloud_agent_proxy.directory import SessionDirectory
    from cloud_agent_proxy.session import Session
    from cloud_agent_proxy.session_page.conversation import Entry
    from cloud_agent_proxy.session_page.renderer import SessionPageRenderer
    from cloud_agent_proxy.session_page.transcripts import Transcripts

logger = logging.getLogger(__name__)

MOST_STREAMS = 1_000  # haproxy.cfg has as many connections for them
MOST_OF_ONE_SESSION = 300
NOTE_SECONDS = 60  # the Agent API takes a session for watched for half a minute longer (contracts/limits.json)
_LOOK_SECONDS = 1
_PATIENCE_SECONDS = 1
_HEARTBEAT_SECONDS = 15  # HAProxy gives up after 45
_LAST_WORDS_SECONDS = 5  # the last batches come about when the session ends
_MOST_SAID = 160


class SessionRows(Protocol):
    """Where the lengths of transcripts are, and it's noted who is watched; it raises TableUnavailableError."""

    async def transcript_lengths(self, session_ids: Sequence[str]) -> dict[str, TranscriptLength]:
        """Return how many objects the sessions' transcripts have."""

    async def note_watching(self, session_id: str, watched_at: datetime) -> None:
        """Write when somebody last had the session's page open."""


class TooManyStreamsError(Exception):
    """No further page can be kept up to date."""


@dataclass
class _Watched:
    session: Session
    conversation: Conversation = field(default_factory=Conversation)
    viewers: int = 0
    parts: dict[str, str] = field(default_factory=dict)
    """Beside the conversation, by the ids of the elements."""
    drawn: object = None
    """What the parts were rendered from."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, and replaced by another, as soon as there is something new."""
    ends_at: float | None = None
    """When its streams end, by the monotonic clock."""
    note_at: float = 0
    """When it's to be noted next that somebody has the page open."""


class Streams:
    """Follows the sessions whose pages are open, and hands each page what it doesn't have yet, once."""

    def __init__(
        self,
        directory: SessionDirectory,
        rows: SessionRows,
        transcripts: Transcripts,
        renderer: SessionPageRenderer,
    ) -> None:
        self._directory = directory
        self._rows = rows
        self._transcripts = transcripts
        self._renderer = renderer
        self._watched: dict[str, _Watched] = {}
        self._somebody_looks = asyncio.Event()
        self._closed = False

    @property
    def count(self) -> int:
        """How many pages are open."""
        return sum(watched.viewers for watched in self._watched.values())

    def viewers(self, session_id: str) -> int:
        """Return how many pages of the session are open."""
        watched = self._watched.get(session_id)
        return watched.viewers if watched else 0

    async def follow_forever(self) -> None:
        """Look at every session that somebody looks at, once a second."""
        while True:
            await self._somebody_looks.wait()
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Look once at every session that somebody looks at; what fails is tried again the next time."""
        watched = dict(self._watched)
        try:
            lengths = await self._rows.transcript_lengths(list(watched))
        except TableUnavailableError:  # the directory logs it
            return
        results = await asyncio.gather(
            *(self._look_at(each, lengths.get(session_id)) for session_id, each in watched.items()),
            return_exceptions=True,
        )
        for session_id, result in zip(watched, results, strict=True):
            if isinstance(result, Exception) and not isinstance(result, TableUnavailableError):
                logger.error("page not kept up to date", extra={"session_id": session_id, "reason": repr(result)})

    def close(self) -> None:
        """End every stream; their pages open them again through another proxy."""
        self._closed = True
        for watched in self._watched.values():
            _announce(watched)

    def open(self, session: Session, known: Known, until: float) -> AsyncIterator[str]:
        """Return the stream of a page that has all `known` events, in the form of server-sent events.

        Every entry that is new or has changed since is sent, in order; then the stream's id is what the page knows now,
        so that a stream that is resumed there loses nothing. What is sent again replaces what is there.

        Args:
            session: Whose page it is.
            known: The last events that the page has.
            until: How long the visitor may look, in seconds since the epoch.

        Raises:
            TooManyStreamsError: there are as many as there may be.
        """
        if self._closed or self.count >= MOST_STREAMS or self.viewers(session.id) >= MOST_OF_ONE_SESSION:
            raise TooManyStreamsError(session.id)
        watched = self._watched.setdefault(session.id, _Watched(session))
        watched.viewers += 1
        self._somebody_looks.set()
        return self._stream(watched, known, until)

    async def _stream(self, watched: _Watched, known: Known, until: float) -> AsyncIterator[str]:
        sent: dict[str, str] = {}
        try:
            yield "retry: 2000\n\n"
            while not self._closed and time.time() < until:
                changed = watched.changed
                # Both as of one moment: the conversation may grow while the page takes what there is.
                entries, now = watched.conversation.since(known), known.plus(watched.conversation.known)
                for entry in entries:
                    yield _event("entry", id=entry.id, html=self._renderer.entry(entry), say=_said(entry, known))
                if now != known:
                    known = now
                    yield f"id: {known}\n\n"
                for element, html in watched.parts.items():
                    if sent.get(element) != html:
                        sent[element] = html
                        yield _event("part", id=element, key=part_key(html), html=html)
                if watched.ends_at is not None and time.monotonic() >= watched.ends_at:
                    yield _event("end")
                    return
                try:
                    async with asyncio.timeout(max(0, min(_HEARTBEAT_SECONDS, until - time.time()))):
                        await changed.wait()
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._leave(watched)

    def _leave(self, watched: _Watched) -> None:
        watched.viewers -= 1
        if not watched.viewers:
            del self._watched[watched.session.id]
        if not self._watched:
            self._somebody_looks.clear()

    async def _look_at(self, watched: _Watched, length: TranscriptLength | None) -> None:
        session = await self._directory.current(watched.session.id)
        if session is None:  # deleted, as rows are some time after the end
            watched.ends_at = 0
        else:
            watched.session = session
            if session.status.is_final and watched.ends_at is None:
                watched.ends_at = time.monotonic() + _LAST_WORDS_SECONDS
        if length is not None:
            try:
                read = await self._transcripts.read(watched.session.id, length, _PATIENCE_SECONDS)
            except BucketUnavailableError as error:
                logger.warning("transcript not read", extra={"reason": str(error)})
            else:
                watched.conversation = read
        drawn = (watched.session, watched.viewers, watched.conversation.known)
        if drawn != watched.drawn:
            watched.drawn = drawn
            watched.parts = self._renderer.parts(view_of(watched.session, watched.conversation, watched.viewers))
            _announce(watched)
        elif watched.ends_at is not None:
            _announce(watched)
        if session is not None:  # last, for the page doesn't wait for it
            await self._note(watched)

    async def _note(self, watched: _Watched) -> None:
        """Have the agent know that somebody looks: until then it sends its events ten seconds late."""
        if watched.session.status is not SessionStatus.RUNNING or time.monotonic() < watched.note_at:
            return
        watched.note_at = time.monotonic() + NOTE_SECONDS
        try:
            await self._rows.note_watching(watched.session.id, datetime.now(UTC))
        except TableUnavailableError as error:
            logger.warning("not noted as watched", extra={"session_id": watched.session.id, "reason": str(error)})


def _announce(watched: _Watched) -> None:
    changed, watched.changed = watched.changed, asyncio.Event()
    changed.set()


def _event(name: str, **members: str) -> str:
    return f"event: {name}\ndata: {json.dumps(members)}\n\n"


def _said(entry: Entry, known: Known) -> str:
    """Return what a screen reader says of an entry, once: Claude's own messages, ends of turns, statuses, commands."""
    event = entry.event
    if entry.is_status:
        return f"Session {event.text('status').lower()}"
    if entry.of_workflow:
        return f"{event.text('author')} wrote /{event.text('name')}"
    if entry.seq <= known.seq or event.text("parent"):
        return ""
    match event.kind:
        case "message":
            return f"Claude: {event.text('text')[:_MOST_SAID]}"
        case "turn_finished":
            return "The turn failed" if event.flag("is_error") else "The turn is finished"
        case _:
            return ""

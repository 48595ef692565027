"""How far a stream of a session's transcript has come, and how the next batch of it is written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import to_json

from cloud_agent.domain.session.session import timestamp
from cloud_agent.domain.session.transcript import VERSION, NoticeEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.session.transcript import TranscriptEvent

# A loop that runs away must not cost money: so many requests of S3 are $0.10. A day's session has a quarter of it.
BATCHES_LIMIT = 20_000
BYTES_LIMIT = 100_000_000
FULL = "The transcript is full: nothing that happens from here on is recorded. The session itself goes on."


@dataclass(frozen=True)
class Position:
    """So many batches, with so many events and bytes, are part of the stream; `digest` is the last one's.

    The batch after the one that reaches a limit says so, and a stream that `is_full` takes no more. `status` is the
    session's, as the stream said last; a batch that says it begins with it. `commands` counts those that the
    stream has; in a batch that begins with one, there's nothing else.
    """

    batches: int = 0
    events: int = 0
    size_bytes: int = 0
    digest: str = ""
    is_full: bool = False
    status: str = ""
    commands: int = 0

    @property
    def has_reached_a_limit(self) -> bool:
        """Whether the next batch is the last one."""
        return self.batches >= BATCHES_LIMIT or self.size_bytes >= BYTES_LIMIT

    def next_batch(self, events: Sequence[TranscriptEvent]) -> bytes:
        """Return what the next batch contains: these events, or instead that the transcript is full."""
        if self.has_reached_a_limit:
            events = [NoticeEvent(kind="notice", at=timestamp(), prompt_id=None, text=FULL)]
        return _lines(events, self.events + 1)

    def after(self, content: bytes) -> Position:
        """Return the position with one more batch, of this content."""
        events, first = content.count(b"\n"), json.loads(content.partition(b"\n")[0])
        return Position(
            batches=self.batches + 1,
            events=self.events + events,
            size_bytes=self.size_bytes + len(content),
            digest=hashlib.sha256(content).hexdigest(),
            is_full=self.has_reached_a_limit,
            status=str(first["status"]) if first["kind"] == "status" else self.status,
            commands=self.commands + (events if first["kind"] == "command" else 0),
        )

    def has_just_taken(self, batch: int, events: Sequence[TranscriptEvent]) -> bool:
        """Whether the last batch is this one: its writer didn't get the response, and sends it again."""
        content = _lines(events, self.events - len(events) + 1)
        return batch == self.batches and self.digest == hashlib.sha256(content).hexdigest()


def _lines(events: Sequence[TranscriptEvent], first: int) -> bytes:
    """Return the events as JSON Lines, numbered from `first` on, each with the members that its writer gave it."""
    numbered = (
        {"v": VERSION, "seq": seq, **event.model_dump(mode="json", exclude_unset=True)}
        for seq, event in enumerate(events, first)
    )
    return b"".join(to_json(one, inf_nan_mode="null") + b"\n" for one in numbered)

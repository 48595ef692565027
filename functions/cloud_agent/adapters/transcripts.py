"""The transcripts of sessions: each event once and in order, however often and by whomever a batch is sent.

Their pictures are kept beside them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.transcript_objects import TranscriptObjects
from cloud_agent.adapters.table.transcript_positions import TranscriptPositions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.session.transcript import Stream, TranscriptEvent
    from cloud_agent.domain.session.transcript_position import Position


@dataclass(frozen=True)
class Appended:
    """Whether the batch is part of the transcript by now, and where its stream stands."""

    is_accepted: bool
    position: Position


class Transcripts:
    """Appends to streams. The object comes first and the position second, so that each batch up to it can be read."""

    def __init__(self, table_name: str, bucket: str) -> None:
        self._positions = TranscriptPositions(table_name)
        self._objects = TranscriptObjects(bucket)

    def position(self, session_id: str, stream: Stream) -> Position:
        """Return where the stream stands."""
        return self._positions.get(session_id, stream)

    def append(self, session_id: str, stream: Stream, batch: int, events: Sequence[TranscriptEvent]) -> Appended:
        """Append a batch if it's the stream's next one, or has been appended just now; any other changes nothing.

        A writer that ended between object and position leaves a batch that nobody can read yet. It becomes part of the
        stream here, and a batch that's another one is refused: its writer sends the events again, in the batch after.
        """
        while True:
            position = self.position(session_id, stream)
            if position.is_full or batch != position.batches + 1:
                return Appended(position.has_just_taken(batch, events), position)
            content = position.next_batch(events)
            stored = content
            if not self._objects.create(session_id, stream, batch, content):
                stored = self._objects.read(session_id, stream, batch)
            moved = position.after(stored)
            if self._positions.advance(session_id, stream, moved):
                return Appended(stored == content and not moved.is_full, moved)

    def keep_picture(self, session_id: str, png: bytes) -> str | None:
        """Keep a picture and return its name, the SHA-256 of its content; None where the session has too many.

        It counts whenever it's sent, so that nobody's repeats cost anything without an end.
        """
        if not self._positions.count_picture(session_id, len(png)):
            return None
        name = hashlib.sha256(png).hexdigest()
        self._objects.create_picture(session_id, name, png)
        return name

"""The transcript's events as they are read: JSON Lines that anybody's text may be in.

Nothing about an event is believed but its number. What is missing or of another type reads as empty, so that an event
of a later version, or a damaged one, costs its own line and no page.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 1_000_000_000_000  # no count and no cost is larger; JSON knows infinity, too
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True)
class Fields:
    """Members of a JSON object, each read as what it should be."""

    members: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a text, empty where there is none."""
        value = self.members.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        """Return a number, None where there is none."""
        value = self.members.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        return value if abs(value) <= _MOST else None

    def count(self, name: str) -> int:
        """Return a number of things, 0 where there is none."""
        return max(0, int(self.number(name) or 0))

    def flag(self, name: str) -> bool:
        """Return whether it is true."""
        return self.members.get(name) is True

    def fields(self, name: str) -> Fields:
        """Return the members of an object, none where there is none."""
        value = self.members.get(name)
        return Fields(value if isinstance(value, dict) else {})

    def list_of_fields(self, name: str) -> list[Fields]:
        """Return the objects of a list."""
        value = self.members.get(name)
        return [Fields(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


@dataclass(frozen=True)
class Event(Fields):
    """One line of a transcript's stream."""

    seq: int
    size: int
    """How many bytes it took."""

    @property
    def kind(self) -> str:
        """What has happened."""
        return self.text("kind")

    @property
    def at(self) -> str:
        """When, in RFC 3339; empty if that is no time."""
        at = self.text("at")
        return at if _MOMENT.fullmatch(at) else ""


def read_events(lines: bytes) -> Iterator[Event]:
    """Return the events of one object, without the lines that are none."""
    for line in lines.splitlines():
        try:
            members = json.loads(line)
        except (ValueError, RecursionError):
            continue
        seq = members.get("seq") if isinstance(members, dict) else None
        if isinstance(seq, int) and not isinstance(seq, bool) and seq > 0:
            yield Event(members, seq, len(line))

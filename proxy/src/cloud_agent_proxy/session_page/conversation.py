"""A session's transcript, folded: the conversation in order, and beside it how everything is now."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING

from cloud_agent_proxy.log_text import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent_proxy.session_page.events import Event, Fields

_MOST_LOG_LINES = 400  # of each source
_MOST_LINE_CHARACTERS = 1_000
_MOST_SOURCES = 12
_MOST_COMMITS = 100
_MOST_STATES = 200
_MOST_STEPS = 1_000
_WEIGHT = 3  # of a byte in JSON: as Python objects, and once more as HTML
_ENTRIES = {"prompt", "turn_finished", "message", "thinking", "tool_call", "commit", "command", "notice", "picture"}


_KNOWN = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")


@dataclass(frozen=True)
class Known:
    """What a page has: of each stream the number of the last event. As a text, it's `17`, or `17.3` with a status."""

    seq: int = 0
    """The agent's."""
    status: int = 0
    """The workflow's."""

    @classmethod
    def read(cls, text: str) -> Known:
        """Return what the text says; one that says nothing is of a page that has nothing."""
        said = _KNOWN.fullmatch(text)
        return cls(int(said[1]), int(said[2] or 0)) if said else cls()

    def plus(self, other: Known) -> Known:
        """Return what a page has that has both."""
        return Known(max(self.seq, other.seq), max(self.status, other.status))

    def __str__(self) -> str:
        """Return it as the id of a server-sent event."""
        return f"{self.seq}.{self.status}" if self.status else str(self.seq)


@dataclass(eq=False)
class Entry:
    """One thing in the conversation. A tool call grows: its result and the changes of files belong to it."""

    event: Event
    version: int
    """The number of the last event that changed it."""
    result: Event | None = None
    changes: list[Event] = field(default_factory=list)
    size: int = 0
    html: str = ""
    """As it was last rendered; empty when that is out of date."""
    of_workflow: bool = False
    """Whether it's of the workflow's stream: a status of the session, or a command that somebody gave."""

    @property
    def seq(self) -> int:
        """Its own number in its stream, which never changes."""
        return self.event.seq

    @property
    def is_status(self) -> bool:
        """Whether it's the session's status."""
        return self.event.kind == "status"

    @property
    def id(self) -> str:
        """What tells it from every other entry, of either stream."""
        return f"{'s' if self.of_workflow else 'e'}{self.seq}"


@dataclass
class Now:
    """How the session is according to its transcript; each attribute is the last that was said of it."""

    working_since: str = ""
    """When the turn that runs began; empty between turns."""
    session: Event | None = None
    todo: list[Fields] = field(default_factory=list)
    commits: deque[Event] = field(default_factory=lambda: deque(maxlen=_MOST_COMMITS))
    total_diff: Event | None = None
    turn: Event | None = None
    """The last turn that finished."""
    services: dict[str, str] = field(default_factory=dict)
    logs: dict[str, deque[str]] = field(default_factory=dict)


class Conversation:
    """Takes the events of each stream in order, each once; of an event that it knows already, nothing changes."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        """The agent's, by their numbers, in order."""
        self.now = Now()
        self.last_seq = 0
        self.steps: list[Entry] = []
        """The workflow's, in order: statuses and commands."""
        self.last_status = 0
        """The number of the last event of the workflow's stream."""
        self.history: list[Event] = []
        """The states that the session's execution went through."""
        self.size = 0
        """About how many bytes of memory it takes."""
        self.dropped = False
        """Whether there were earlier entries than those it holds."""
        self._calls: dict[str, Entry] = {}

    def add(self, events: Iterable[Event]) -> None:
        """Take the events that follow those it has."""
        for event in events:
            if event.seq > self.last_seq:
                self.last_seq = event.seq
                self._add(event)

    def add_history(self, events: Iterable[Event]) -> None:
        """Take the workflow's events that follow those it has."""
        for event in events:
            if event.seq <= self.last_status:
                continue
            self.last_status = event.seq
            if event.kind in {"status", "command"}:
                if len(self.steps) < _MOST_STEPS:
                    self.steps.append(Entry(event, event.seq, of_workflow=True))
            elif len(self.history) < _MOST_STATES:
                self.history.append(event)

    @property
    def known(self) -> Known:
        """All that it has."""
        return Known(self.last_seq, self.last_status)

    def since(self, known: Known) -> list[Entry]:
        """Return the entries that later events than the known ones made or changed, in order."""
        changed = [entry for entry in self.entries.values() if entry.version > known.seq]
        return _in_order(changed, [entry for entry in self.steps if entry.seq > known.status])

    def before(self, seq: int, most: int) -> list[Entry]:
        """Return the agent's last `most` entries whose numbers are below `seq`, the workflow's between, in order."""
        earlier = [entry for entry in self.entries.values() if entry.seq < seq]
        found = earlier[-most:]
        begin = found[0].event.at if len(found) < len(earlier) else ""
        end = next((entry.event.at for entry in self.entries.values() if entry.seq >= seq), None)
        between = [one for one in self.steps if begin <= one.event.at and (end is None or one.event.at < end)]
        return _in_order(found, between)

    def has_before(self, seq: int) -> bool:
        """Tell whether the agent has entries whose numbers are below `seq`."""
        return next(iter(self.entries), seq) < seq

    def shrink(self, most_bytes: int) -> None:
        """Let go of the oldest entries until it takes no more memory than that."""
        for seq in list(self.entries):
            if self.size <= most_bytes:
                return
            entry = self.entries.pop(seq)
            self._calls.pop(entry.event.text("id"), None)
            self.size -= entry.size
            self.dropped = True

    def _add(self, event: Event) -> None:
        if event.kind in {"tool_result", "file_change"}:
            self._add_to_call(event)
        elif event.kind in _ENTRIES:
            self._keep(Entry(event, event.seq))
            if event.kind == "tool_call":
                self._calls[event.text("id")] = self.entries[event.seq]
        self._note(event)

    def _keep(self, entry: Entry) -> None:
        self.entries[entry.seq] = entry
        self._grow(entry, entry.event)

    def _grow(self, entry: Entry, event: Event) -> None:
        entry.size += event.size * _WEIGHT
        self.size += event.size * _WEIGHT
        entry.version, entry.html = event.seq, ""

    def _add_to_call(self, event: Event) -> None:
        entry = self._calls.get(event.text("id"))
        if entry is None:  # of a call that is no longer here
            return
        if event.kind == "tool_result":
            entry.result = event
        else:
            entry.changes.append(event)
        self._grow(entry, event)

    def _note(self, event: Event) -> None:
        now = self.now
        match event.kind:
            case "session":
                now.session = event
            case "turn_started":
                now.working_since = event.at
            case "turn_finished":
                now.working_since, now.turn = "", event
            case "todo":
                now.todo = event.list_of_fields("items")
            case "commit":
                now.commits.append(event)
            case "total_diff":
                now.total_diff = event
            case "service":
                if event.text("name") in now.services or len(now.services) < _MOST_SOURCES:
                    now.services[event.text("name")] = event.text("state")
            case "log":
                self._log(event.text("source"), event.text("text"))

    def _log(self, source: str, text: str) -> None:
        if source not in self.now.logs and len(self.now.logs) >= _MOST_SOURCES:
            return
        lines = self.now.logs.setdefault(source, deque(maxlen=_MOST_LOG_LINES))
        lines.extend(line[:_MOST_LINE_CHARACTERS] for line in plain_text(text).strip("\n").split("\n"))


def _in_order(entries: list[Entry], steps: list[Entry]) -> list[Entry]:
    """Return both as they happened: each stream has its own numbers, and time is all that they share."""
    return list(merge(entries, steps, key=lambda entry: entry.event.at))

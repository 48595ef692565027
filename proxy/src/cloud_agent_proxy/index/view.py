"""What the index shows: sessions by their state and their repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_proxy.session import SessionStatus
from cloud_agent_proxy.session_page.times import moment, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cloud_agent_proxy.index.overviews import Overview
    from cloud_agent_proxy.index.visitors import Seen
    from cloud_agent_proxy.session import Session

_ENDED = "Ended"
_HEADINGS = {SessionStatus.RUNNING: "Running", SessionStatus.STARTING: "Starting", SessionStatus.QUEUED: "Queued"}


@dataclass(frozen=True)
class Row:
    """One session. `place` is the one in the queue, from 1; 0 where it doesn't wait."""

    session: Session
    url: str
    lasts: str
    place: int

    @property
    def title(self) -> str:
        """What it is about."""
        return self.session.issue_title or f"Session {self.session.id}"

    @property
    def status(self) -> str:
        """Its status, as a word."""
        return self.session.status.value.capitalize()


@dataclass(frozen=True)
class Group:
    """The sessions of one state, by their repositories, the newest first; those that wait in the queue's order."""

    heading: str
    repositories: dict[str, list[Row]]

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(map(len, self.repositories.values()))


@dataclass(frozen=True)
class IndexView:
    """All that the page shows."""

    groups: tuple[Group, ...]
    running: int
    most: int
    queued: int
    login: str
    unchecked: int


def view_of(overview: Overview, seen: Seen, *, most: int, url_of: Callable[[str], str], now: datetime) -> IndexView:
    """Return what a visitor may see; of the other sessions, how many there are."""
    places = {session_id: place for place, session_id in enumerate(overview.queue, 1)}
    rows = [
        Row(session, url_of(session.id), _lasts(session, now), places.get(session.id, 0))
        for session in overview.sessions
        if session.repo in seen.repositories
    ]
    rows.sort(key=lambda row: row.place)  # which leaves all others as they are
    grouped = (
        Group(heading, _by_repository(row for row in rows if _HEADINGS.get(row.session.status, _ENDED) == heading))
        for heading in (*_HEADINGS.values(), _ENDED)
    )
    return IndexView(
        groups=tuple(group for group in grouped if group.repositories),
        running=overview.running,
        most=most,
        queued=len(overview.queue),
        login=seen.login,
        unchecked=seen.unchecked,
    )


def _by_repository(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.session.repo, []).append(row)
    return grouped


def _lasts(session: Session, now: datetime) -> str:
    return span(moment(session.created_at), moment(session.ended_at) or now)

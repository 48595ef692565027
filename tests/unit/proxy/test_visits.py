"""When a visit is written, and what becomes of one that cannot be."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cloud_agent_proxy import visits as visits_module
from cloud_agent_proxy.runtime_api import VISITS_REMEMBERED, RuntimeApi, RuntimeApiError
from cloud_agent_proxy.sessions_table import TableUnavailableError
from cloud_agent_proxy.visits import Visits

ID, OTHER = "09e22a8b", "09e22a8c"
START = datetime(2026, 11, 22, 10, tzinfo=UTC)


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Haproxy(RuntimeApi):
    """Lists visits as HAProxy does, by the time each has left to live."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._visits: dict[str, datetime] = {}
        self.open_streams: set[str] = set()
        self.refuses = False

    def visit(self, session_id: str) -> None:
        self._visits[session_id] = self._clock()

    async def _ask(self, command: str) -> str:
        if self.refuses:
            raise RuntimeApiError(command)
        lines = [f"# table: visits, type: string, size:102400, used:{len(self._visits)}"]
        for session_id, visited_at in self._visits.items():
            left = max(VISITS_REMEMBERED - (self._clock() - visited_at), timedelta()) // timedelta(milliseconds=1)
            if left or session_id in self.open_streams:
                lines.append(f"0x1: key={session_id} use={int(session_id in self.open_streams)} exp={left} shard=0")
        return "\n".join([*lines, "", ""])


class Store:
    """Keeps what is written; refuses while told to."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, datetime]] = []
        self.refused: set[str] = set()
        self.attempts = 0

    async def note_visit(self, session_id: str, visited_at: datetime) -> None:
        self.attempts += 1
        if session_id in self.refused:
            raise TableUnavailableError(session_id)
        self.writes.append((session_id, visited_at))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def haproxy(clock: Clock) -> Haproxy:
    return Haproxy(clock)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def visits(haproxy: Haproxy, store: Store, clock: Clock) -> Visits:
    return Visits(haproxy, store, clock)


async def test_a_visit_is_written_with_the_time_it_was_made_not_seen(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    clock.advance(4.25)
    await visits.record()
    assert store.writes == [(ID, START)]


async def test_a_visit_is_written_once_however_often_it_is_listed(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    for _ in range(30):
        await visits.record()
        clock.advance(5)
    assert store.writes == [(ID, START)]


async def test_a_session_is_written_once_a_minute_however_often_it_is_visited(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    for _ in range(180):
        haproxy.visit(ID)
        await visits.record()
        clock.advance(1)
    assert [(ID, START + timedelta(minutes=minute)) for minute in range(3)] == store.writes


async def test_the_last_visit_of_a_minute_is_written_when_the_minute_is_over(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    await visits.record()
    clock.advance(7)
    haproxy.visit(ID)
    await visits.record()
    clock.advance(52)
    await visits.record()
    assert len(store.writes) == 1
    clock.advance(1)
    await visits.record()
    assert [(ID, START), (ID, START + timedelta(seconds=7))] == store.writes


async def test_a_stream_that_stays_open_is_one_visit_when_it_was_opened(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    haproxy.open_streams = {ID}
    for _ in range(30):
        await visits.record()
        clock.advance(5)
    assert store.writes == [(ID, START)]


async def test_sessions_do_not_share_their_minute(visits: Visits, haproxy: Haproxy, store: Store, clock: Clock) -> None:
    haproxy.visit(ID)
    await visits.record()
    clock.advance(5)
    haproxy.visit(OTHER)
    await visits.record()
    assert [(ID, START), (OTHER, START + timedelta(seconds=5))] == store.writes


async def test_a_visit_outlives_a_table_that_is_away_for_longer_than_haproxy_remembers(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    store.refused = {ID}
    await visits.record()
    clock.advance(300)
    await visits.record()
    store.refused = set()
    await visits.record()
    assert store.writes == [(ID, START)]


async def test_a_table_that_is_away_is_asked_once_a_round(visits: Visits, haproxy: Haproxy, store: Store) -> None:
    haproxy.visit(ID)
    haproxy.visit(OTHER)
    store.refused = {ID, OTHER}
    await visits.record()
    assert store.attempts == 1


async def test_a_row_that_cannot_be_written_holds_up_no_other(visits: Visits, haproxy: Haproxy, store: Store) -> None:
    haproxy.visit(ID)
    haproxy.visit(OTHER)
    store.refused = {ID}
    for _ in range(2):
        await visits.record()
    assert store.writes == [(OTHER, START)]


async def test_a_clock_set_back_silences_no_session(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    await visits.record()
    clock.advance(-3600)
    haproxy.visit(ID)
    await visits.record()
    assert len(store.writes) == 2


async def test_the_end_writes_what_waits_for_its_minute_and_what_was_not_yet_seen(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    await visits.record()
    clock.advance(5)
    haproxy.visit(ID)
    haproxy.visit(OTHER)
    await visits.record_last()
    later = START + timedelta(seconds=5)
    assert [(ID, START), (ID, later), (OTHER, later)] == store.writes


async def test_the_end_writes_what_is_known_when_haproxy_has_gone_first(
    visits: Visits, haproxy: Haproxy, store: Store, clock: Clock
) -> None:
    haproxy.visit(ID)
    store.refused = {ID}
    await visits.record()
    clock.advance(5)
    haproxy.refuses, store.refused = True, set()
    await visits.record_last()
    assert store.writes == [(ID, START)]


async def test_the_end_names_the_sessions_whose_visit_is_lost(
    visits: Visits, haproxy: Haproxy, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    haproxy.visit(ID)
    store.refused = {ID}
    await visits.record_last()
    (lost,) = [record for record in caplog.records if record.message == "visits lost"]
    assert vars(lost)["sessions"] == [ID]


async def test_an_unforeseen_error_does_not_end_the_recording(
    visits: Visits, haproxy: Haproxy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits_module, "_LOOK_SECONDS", 0)
    haproxy.visit(ID)
    answer = haproxy.time_since_visits

    async def fail_once() -> dict[str, timedelta]:
        monkeypatch.setattr(haproxy, "time_since_visits", answer)
        raise ValueError

    monkeypatch.setattr(haproxy, "time_since_visits", fail_once)
    recording = asyncio.create_task(visits.record_forever())
    try:
        async with asyncio.timeout(5):
            while not store.writes:  # noqa: ASYNC110 - the task above changes it
                await asyncio.sleep(0)
    finally:
        recording.cancel()
    assert store.writes == [(ID, START)]


async def test_haproxy_is_not_asked_before_it_can_have_started(
    visits: Visits, haproxy: Haproxy, caplog: pytest.LogCaptureFixture
) -> None:
    haproxy.refuses = True
    recording = asyncio.create_task(visits.record_forever())
    for _ in range(10):
        await asyncio.sleep(0)
    recording.cancel()
    assert caplog.records == []


async def test_an_answer_that_is_no_list_of_visits_is_an_error_not_an_empty_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    haproxy = RuntimeApi()

    async def refuse(_: str) -> str:
        return "No such table\n\n"

    monkeypatch.setattr(haproxy, "_ask", refuse)
    with pytest.raises(RuntimeApiError, match="No such table"):
        await haproxy.time_since_visits()

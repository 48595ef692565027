"""What the proxy believes when answers come late, in the wrong order, or not at all."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest

from cloud_agent_proxy import directory as directory_module
from cloud_agent_proxy.access.admissions import Admissions
from cloud_agent_proxy.directory import SessionDirectory
from cloud_agent_proxy.revisions import Revisions
from cloud_agent_proxy.routes import Routes
from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError
from cloud_agent_proxy.session import Session
from cloud_agent_proxy.sessions_table import TableUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ID = "09e22a8b"


def session(status: str = "RUNNING", ip: str = "10.0.0.1") -> Session:
    return Session.model_validate({"id": ID, "status": status, "ip": ip, "port": 3000})


class Store:
    """A store that answers as told, and can be held in the middle of a read."""

    def __init__(self) -> None:
        self.rows: dict[str, Session | None] = {}
        self.unanswered: set[str] = set()
        self.polled: list[str] = []
        self.away = False
        self.reads = 0
        self.reading, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def get(self, session_id: str) -> Session | None:
        self.reads += 1
        if self.away:
            raise TableUnavailableError
        row = self.rows.get(session_id)
        self.reading.set()
        async with asyncio.timeout(5):
            await self.may_answer.wait()
        return row

    async def get_many(self, session_ids: list[str]) -> dict[str, Session | None]:
        if self.away:
            raise TableUnavailableError
        self.polled = session_ids
        return {id_: self.rows.get(id_) for id_ in session_ids if id_ not in self.unanswered}


class Haproxy(RuntimeApi):
    """Keeps the orders in place of carrying them out; refuses while told to."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.refuses = False
        self.visited: set[str] = set()
        self.streams_to: set[str] = set()
        self.during_listing: Callable[[], Awaitable[None]] | None = None

    async def _ask(self, command: str) -> str:
        if self.refuses:
            raise RuntimeApiError(command)
        if command == "show table visits":
            entries = [f"0x1: key={session_id} use=0 exp=59000 shard=0" for session_id in self.visited]
            return "\n".join(["# table: visits, type: string, size:102400", *entries])
        self.orders.append(command)
        if command != "show sess all":
            return ""
        if self.during_listing:
            await self.during_listing()
        return "".join(f"0x1: [...]\n  server=session (id=1) addr={address}\n" for address in self.streams_to)


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def haproxy() -> Haproxy:
    return Haproxy()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(store: Store, haproxy: Haproxy, clock: Clock) -> SessionDirectory:
    network, forget = IPv4Network("10.0.0.0/8"), Admissions(haproxy).forget_session
    return SessionDirectory(store, Routes(haproxy), Revisions(haproxy), network, forget, clock)


async def route(directory: SessionDirectory) -> str:
    return str(await directory.route_to(ID))


async def test_a_move_is_unmapped_and_closed_before_it_is_mapped_again(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    await route(directory)
    store.rows[ID] = session(ip="10.0.0.2")
    await directory.refresh()
    assert [
        f"add map sessions.map {ID} 10.0.0.1:3000",
        f"del map sessions.map {ID}",
        "show sess all",
        f"add map sessions.map {ID} 10.0.0.2:3000",
    ] == haproxy.orders


async def test_an_unchanged_session_costs_haproxy_nothing(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    await route(directory)
    await directory.refresh()
    assert len(haproxy.orders) == 1


async def test_a_slow_read_does_not_undo_a_stop_that_was_seen_meanwhile(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    await route(directory)
    store.reading.clear()
    store.may_answer.clear()
    late = asyncio.create_task(directory.look_up(ID))
    await asyncio.wait_for(store.reading.wait(), 5)
    store.rows[ID] = session("STOPPED")
    await directory.refresh()
    store.may_answer.set()
    await late
    assert f"del map sessions.map {ID}" in haproxy.orders
    assert haproxy.orders.count(f"add map sessions.map {ID} 10.0.0.1:3000") == 1


async def test_nobody_goes_anywhere_while_haproxy_has_not_taken_a_change(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    assert await route(directory) == "10.0.0.1:3000"
    store.rows[ID] = session(ip="10.0.0.2")
    haproxy.refuses = True
    assert await route(directory) == "None"
    haproxy.refuses = False
    await directory.refresh()
    assert await route(directory) == "10.0.0.2:3000"


async def test_a_session_the_table_did_not_answer_for_stays_as_it_was(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    await route(directory)
    store.unanswered = {ID}
    await directory.refresh()
    assert len(haproxy.orders) == 1


async def test_visitors_do_not_wait_for_a_table_that_is_known_to_be_away(
    directory: SessionDirectory, store: Store
) -> None:
    store.away = True
    for _ in range(3):
        with pytest.raises(TableUnavailableError):
            await directory.look_up(ID)
    assert store.reads == 1
    assert directory.freshness.degraded
    store.away = False
    store.rows[ID] = session()
    await directory.refresh()
    assert not directory.freshness.degraded
    assert await route(directory) == "10.0.0.1:3000"


async def test_ended_sessions_are_remembered_for_when_the_table_is_away_but_not_all_of_them(
    directory: SessionDirectory, store: Store
) -> None:
    for number in range(1_200):
        id_ = f"{number:08x}"
        store.rows[id_] = Session.model_validate({"id": id_, "status": "COMPLETED"})
        await directory.look_up(id_)
    assert directory.freshness.sessions_known == 0
    store.away = True
    await directory.refresh()
    assert await directory.look_up(f"{1_199:08x}") is not None
    with pytest.raises(TableUnavailableError):
        await directory.look_up(f"{0:08x}")


TEN_MINUTES = 600


async def pass_time(directory: SessionDirectory, clock: Clock, seconds: float) -> None:
    """Let time pass as refresh_forever() does: half a minute between two looks for unused sessions."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += 30
        await directory.refresh()
        await directory.forget_unused()


async def test_a_session_nobody_visits_is_forgotten_and_learnt_again_at_the_next_visit(
    directory: SessionDirectory, store: Store, haproxy: Haproxy, clock: Clock
) -> None:
    store.rows[ID] = session()
    await route(directory)
    await pass_time(directory, clock, TEN_MINUTES - 30)
    assert directory.freshness.sessions_known == 1
    await pass_time(directory, clock, 30)
    assert directory.freshness.sessions_known == 0
    assert f"del map sessions.map {ID}" in haproxy.orders
    await directory.refresh()
    assert ID not in store.polled
    assert await route(directory) == "10.0.0.1:3000"
    assert f"add map sessions.map {ID} 10.0.0.1:3000" == haproxy.orders[-1]
    assert directory.freshness.sessions_known == 1


async def test_a_visited_session_is_not_forgotten(
    directory: SessionDirectory, store: Store, haproxy: Haproxy, clock: Clock
) -> None:
    store.rows[ID] = session()
    await route(directory)
    await pass_time(directory, clock, TEN_MINUTES - 30)
    haproxy.visited = {ID}
    await pass_time(directory, clock, 30)
    haproxy.visited = set()
    await pass_time(directory, clock, TEN_MINUTES - 30)
    assert [f"add map sessions.map {ID} 10.0.0.1:3000"] == haproxy.orders
    await pass_time(directory, clock, 30)
    assert directory.freshness.sessions_known == 0


async def test_a_session_whose_page_is_open_is_not_forgotten(
    directory: SessionDirectory, store: Store, clock: Clock
) -> None:
    store.rows[ID] = session("STARTING")
    for _ in range(3):
        await directory.look_up(ID)
        await pass_time(directory, clock, TEN_MINUTES - 30)
        assert directory.freshness.sessions_known == 1
    await pass_time(directory, clock, 30)
    assert directory.freshness.sessions_known == 0


async def test_an_open_stream_keeps_its_session_and_is_not_closed(
    directory: SessionDirectory, store: Store, haproxy: Haproxy, clock: Clock
) -> None:
    store.rows[ID] = session()
    await route(directory)
    haproxy.streams_to = {"10.0.0.1:3000"}
    await pass_time(directory, clock, 2 * TEN_MINUTES)
    assert f"add map sessions.map {ID} 10.0.0.1:3000" == haproxy.orders[-1]
    assert not [order for order in haproxy.orders if order.startswith("shutdown session")]
    haproxy.streams_to = set()
    await pass_time(directory, clock, TEN_MINUTES)
    assert directory.freshness.sessions_known == 0


async def test_nothing_is_forgotten_while_the_table_is_away(
    directory: SessionDirectory, store: Store, clock: Clock
) -> None:
    store.rows[ID] = session()
    await route(directory)
    store.away = True
    await pass_time(directory, clock, 2 * TEN_MINUTES)
    assert await route(directory) == "10.0.0.1:3000"


async def test_a_route_that_haproxy_does_not_withdraw_is_withdrawn_the_next_time(
    directory: SessionDirectory, store: Store, haproxy: Haproxy, clock: Clock
) -> None:
    store.rows[ID] = session()
    await route(directory)
    haproxy.refuses = True
    await pass_time(directory, clock, TEN_MINUTES)
    assert directory.freshness.sessions_known == 1
    haproxy.refuses = False
    await pass_time(directory, clock, 30)
    assert directory.freshness.sessions_known == 0
    assert f"del map sessions.map {ID}" in haproxy.orders


async def test_who_comes_while_the_session_is_forgotten_is_sent_to_its_address(
    directory: SessionDirectory, store: Store, haproxy: Haproxy, clock: Clock
) -> None:
    store.rows[ID] = session()
    await route(directory)
    visits: list[asyncio.Task[str]] = []

    async def visit_and_wait() -> None:
        visits.append(asyncio.create_task(route(directory)))
        await asyncio.wait(visits, timeout=0.1)

    haproxy.during_listing = visit_and_wait
    await pass_time(directory, clock, TEN_MINUTES)
    (visit,) = visits
    assert await visit == "10.0.0.1:3000"
    assert f"add map sessions.map {ID} 10.0.0.1:3000" == haproxy.orders[-1]
    assert directory.freshness.sessions_known == 1


async def test_the_refreshing_forgets_by_itself(
    directory: SessionDirectory, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_module, "_REFRESH_SECONDS", 0)
    store.rows[ID] = session()
    await route(directory)
    clock.now = TEN_MINUTES
    refreshing = asyncio.create_task(directory.refresh_forever())
    try:
        async with asyncio.timeout(5):
            while directory.freshness.sessions_known:  # noqa: ASYNC110 - another task changes it
                await asyncio.sleep(0)
    finally:
        refreshing.cancel()

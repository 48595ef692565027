"""What the proxy believes when answers come late, in the wrong order, or not at all."""

import asyncio
import threading
from ipaddress import IPv4Network

import pytest

from cloud_agent_proxy.access.admissions import Admissions
from cloud_agent_proxy.directory import SessionDirectory
from cloud_agent_proxy.routes import Routes
from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError
from cloud_agent_proxy.session import Session
from cloud_agent_proxy.sessions_table import TableUnavailableError

ID = "09e22a8b"


def session(status: str = "RUNNING", ip: str = "10.0.0.1") -> Session:
    return Session.model_validate({"id": ID, "status": status, "ip": ip, "port": 3000})


class Store:
    """A store that answers as told, and can be held in the middle of a read."""

    def __init__(self) -> None:
        self.rows: dict[str, Session | None] = {}
        self.unanswered: set[str] = set()
        self.away = False
        self.reads = 0
        self.reading, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()

    def get(self, session_id: str) -> Session | None:
        self.reads += 1
        if self.away:
            raise TableUnavailableError
        row = self.rows.get(session_id)
        self.reading.set()
        self.may_answer.wait(5)
        return row

    def get_many(self, session_ids: list[str]) -> dict[str, Session | None]:
        if self.away:
            raise TableUnavailableError
        return {id_: self.rows.get(id_) for id_ in session_ids if id_ not in self.unanswered}


class Haproxy(RuntimeApi):
    """Keeps the orders in place of carrying them out; refuses while told to."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.refuses = False

    async def _ask(self, command: str) -> str:
        if self.refuses:
            raise RuntimeApiError(command)
        self.orders.append(command)
        return ""


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def haproxy() -> Haproxy:
    return Haproxy()


@pytest.fixture
def directory(store: Store, haproxy: Haproxy) -> SessionDirectory:
    return SessionDirectory(store, Routes(haproxy), IPv4Network("10.0.0.0/8"), Admissions(haproxy).forget_session)


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
    assert 1 == len(haproxy.orders)


async def test_a_slow_read_does_not_undo_a_stop_that_was_seen_meanwhile(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    await route(directory)
    store.reading.clear()
    store.may_answer.clear()
    late = asyncio.create_task(directory.look_up(ID))
    await asyncio.to_thread(store.reading.wait, 5)
    store.rows[ID] = session("STOPPED")
    await directory.refresh()
    store.may_answer.set()
    await late
    assert f"del map sessions.map {ID}" in haproxy.orders
    assert 1 == haproxy.orders.count(f"add map sessions.map {ID} 10.0.0.1:3000")


async def test_nobody_goes_anywhere_while_haproxy_has_not_taken_a_change(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    assert "10.0.0.1:3000" == await route(directory)
    store.rows[ID] = session(ip="10.0.0.2")
    haproxy.refuses = True
    assert "None" == await route(directory)
    haproxy.refuses = False
    await directory.refresh()
    assert "10.0.0.2:3000" == await route(directory)


async def test_a_session_the_table_did_not_answer_for_stays_as_it_was(
    directory: SessionDirectory, store: Store, haproxy: Haproxy
) -> None:
    store.rows[ID] = session()
    await route(directory)
    store.unanswered = {ID}
    await directory.refresh()
    assert 1 == len(haproxy.orders)


async def test_visitors_do_not_wait_for_a_table_that_is_known_to_be_away(
    directory: SessionDirectory, store: Store
) -> None:
    store.away = True
    for _ in range(3):
        with pytest.raises(TableUnavailableError):
            await directory.look_up(ID)
    assert 1 == store.reads
    assert directory.freshness.degraded
    store.away = False
    store.rows[ID] = session()
    await directory.refresh()
    assert not directory.freshness.degraded
    assert "10.0.0.1:3000" == await route(directory)


async def test_ended_sessions_are_remembered_for_when_the_table_is_away_but_not_all_of_them(
    directory: SessionDirectory, store: Store
) -> None:
    for number in range(1_200):
        id_ = f"{number:08x}"
        store.rows[id_] = Session.model_validate({"id": id_, "status": "COMPLETED"})
        await directory.look_up(id_)
    assert 0 == directory.freshness.sessions_known
    store.away = True
    await directory.refresh()
    assert await directory.look_up(f"{1_199:08x}") is not None
    with pytest.raises(TableUnavailableError):
        await directory.look_up(f"{0:08x}")

"""The sessions table as DynamoDB answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import serialized

from cloud_agent_proxy.sessions_table import Occupancy, TableUnavailableError
from cloud_agent_proxy.sessions_table import SessionsTable as ProxysTable

if TYPE_CHECKING:
    from aiodynamo.client import Client
    from tests.integration.proxy.conftest import SessionsTable

ID = "09e22a8b"
VISIT = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def rows(other_table: SessionsTable) -> SessionsTable:
    """A table of the test's own."""
    return other_table


@pytest.fixture
def table(rows: SessionsTable, dynamodb: Client) -> ProxysTable:
    return ProxysTable(rows.name, dynamodb)


def items(rows: SessionsTable) -> list[dict[str, Any]]:
    return list(rows.client.scan(TableName=rows.name, ConsistentRead=True)["Items"])


async def test_a_row_becomes_a_session(rows: SessionsTable, table: ProxysTable) -> None:
    rows.put(id=ID, ip="10.0.0.9", port=3000, turns=7, end_reason="", pull_url="https://github.test/pull/1")
    session = await table.get(ID)
    assert session is not None
    assert (session.status, str(session.ip), session.port) == ("RUNNING", "10.0.0.9", 3000)
    assert (session.id, session.pull_url) == (ID, "https://github.test/pull/1")
    assert {ID: session} == await table.get_many([ID])


async def test_no_row_is_no_session(table: ProxysTable) -> None:
    assert await table.get(ID) is None


async def test_more_sessions_than_one_request_takes_are_all_read(rows: SessionsTable, table: ProxysTable) -> None:
    ids = [f"{number:08x}" for number in range(250)]
    for session_id in ids[:-1]:
        rows.put(id=session_id, status="STARTING")
    found = await table.get_many(ids)
    assert set(ids) == found.keys()
    assert [ids[-1]] == [session_id for session_id, session in found.items() if session is None]


async def test_the_newest_sessions_are_listed_first_and_no_other_rows(rows: SessionsTable, table: ProxysTable) -> None:
    for minute in (2, 0, 3, 1):
        rows.put(id=f"0000000{minute}", created_at=f"2026-11-22T08:0{minute}:00.000Z")
    prompt = {"pk": "SESSION#00000003", "sk": "PROMPT#1", "created_at": "2026-11-22T08:09:00.000Z"}
    rows.client.put_item(TableName=rows.name, Item=serialized(prompt))
    assert await table.newest(3) == ["00000003", "00000002", "00000001"]


async def test_who_has_a_slot_and_who_waits_is_read_in_the_queues_order(
    rows: SessionsTable, table: ProxysTable
) -> None:
    assert await table.occupancy() == Occupancy()
    since = ("2026-11-22T08:00:02.000Z", "2026-11-22T08:00:01.000Z")
    waiting = {f"0000000{number}": {"since": one, "repo": "acme/shop"} for number, one in enumerate(since)}
    slots = {"pk": "SLOTS", "sk": "SLOTS", "live": {"0000000a": "acme/shop"}, "waiting": waiting, "version": 7}
    rows.client.put_item(TableName=rows.name, Item=serialized(slots))
    assert await table.occupancy() == Occupancy(running=("0000000a",), waiting=("00000001", "00000000"))


async def test_one_unreadable_row_does_not_hide_the_others(rows: SessionsTable, table: ProxysTable) -> None:
    rows.put(id="0000000a", ip="not an address", port=3000)
    rows.put(id="0000000b", status="STARTING")
    found = await table.get_many(["0000000a", "0000000b"])
    assert found["0000000a"] is None
    assert found["0000000b"] is not None


async def test_a_table_that_cannot_be_read_is_said_with_its_name(dynamodb: Client) -> None:
    table = ProxysTable("missing", dynamodb)
    with pytest.raises(TableUnavailableError, match="missing"):
        await table.get(ID)
    with pytest.raises(TableUnavailableError, match="missing"):
        await table.get_many([ID])
    with pytest.raises(TableUnavailableError, match="missing"):
        await table.note_visit(ID, VISIT)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (VISIT, "2026-11-22T10:00:00.000Z"),
        (VISIT + timedelta(microseconds=1_999), "2026-11-22T10:00:00.001Z"),
        (VISIT.astimezone(timezone(timedelta(hours=2))), "2026-11-22T10:00:00.000Z"),
    ],
)
async def test_a_visit_is_written_in_utc_to_the_millisecond_and_changes_nothing_else(
    rows: SessionsTable, table: ProxysTable, moment: datetime, written: str
) -> None:
    rows.put(id=ID, ip="10.0.0.9")
    (before,) = items(rows)
    await table.note_visit(ID, moment)
    (after,) = items(rows)
    assert {**before, "last_visited_at": {"S": written}} == after


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "COMPLETED", "STOPPED", "FAILED"])
async def test_a_visit_is_written_on_no_session_that_does_not_run(
    rows: SessionsTable, table: ProxysTable, status: str
) -> None:
    rows.put(id=ID, status=status)
    await table.note_visit(ID, VISIT)
    assert rows.last_visited_at(ID) is None


async def test_who_watches_is_written_beside_the_visit(rows: SessionsTable, table: ProxysTable) -> None:
    rows.put(id=ID)
    await table.note_visit(ID, VISIT)
    (visited,) = items(rows)
    for minutes in (1, 0):
        await table.note_watching(ID, VISIT + timedelta(minutes=minutes))
    (watched,) = items(rows)
    assert {**visited, "last_watched_at": {"S": "2026-11-22T10:01:00.000Z"}} == watched


async def test_a_visit_makes_no_row(rows: SessionsTable, table: ProxysTable) -> None:
    await table.note_visit(ID, VISIT)
    assert items(rows) == []


async def test_of_two_proxies_visits_the_later_stands(rows: SessionsTable, table: ProxysTable) -> None:
    rows.put(id=ID)
    for minutes in (1, 2, 0):
        await table.note_visit(ID, VISIT + timedelta(minutes=minutes))
    assert rows.last_visited_at(ID) == "2026-11-22T10:02:00.000Z"

"""The sessions table as DynamoDB answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cloud_agent_proxy.sessions_table import SessionsTable, TableUnavailableError


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="sessions",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


VISIT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def last_visited_at(client: Any, session_id: str) -> str | None:  # noqa: ANN401 - one of boto3's made-up classes
    key = {"pk": {"S": f"SESSION#{session_id}"}, "sk": {"S": "SESSION"}}
    item = client.get_item(TableName="sessions", Key=key).get("Item", {})
    return item["last_visited_at"]["S"] if "last_visited_at" in item else None


def put(client: Any, session_id: str, **attributes: dict[str, str]) -> None:  # noqa: ANN401 - one of boto3's made-up classes
    key = {"pk": {"S": f"SESSION#{session_id}"}, "sk": {"S": "SESSION"}}
    client.put_item(TableName="sessions", Item={**key, **attributes})


def test_a_row_becomes_a_session(client: Any) -> None:  # noqa: ANN401 - one of boto3's made-up classes
    row = {"status": {"S": "RUNNING"}, "ip": {"S": "10.0.0.9"}, "port": {"N": "3000"}, "turns": {"N": "7"}}
    put(client, "09e22a8b", **row)
    session = SessionsTable("sessions").get("09e22a8b")
    assert session is not None
    assert ("RUNNING", "10.0.0.9", 3000) == (session.status, str(session.ip), session.port)


@pytest.mark.usefixtures("client")
def test_no_row_is_no_session() -> None:
    assert SessionsTable("sessions").get("09e22a8b") is None


def test_more_sessions_than_one_request_takes_are_all_read(client: Any) -> None:  # noqa: ANN401 - one of boto3's made-up classes
    ids = [f"{number:08x}" for number in range(250)]
    for session_id in ids[:-1]:
        put(client, session_id, status={"S": "STARTING"})
    found = SessionsTable("sessions").get_many(ids)
    assert set(ids) == found.keys()
    assert [ids[-1]] == [session_id for session_id, session in found.items() if session is None]


def test_one_unreadable_row_does_not_hide_the_others(client: Any) -> None:  # noqa: ANN401 - one of boto3's made-up classes
    put(client, "0000000a", status={"S": "RUNNING"}, ip={"S": "not an address"}, port={"N": "3000"})
    put(client, "0000000b", status={"S": "STARTING"})
    found = SessionsTable("sessions").get_many(["0000000a", "0000000b"])
    assert found["0000000a"] is None
    assert found["0000000b"] is not None


@pytest.mark.usefixtures("client")
def test_a_session_left_unprocessed_is_missing_from_the_answer() -> None:
    table = SessionsTable("sessions")
    key = {"pk": {"S": "SESSION#0000000a"}, "sk": {"S": "SESSION"}}
    with Stubber(table._client) as stub:  # noqa: SLF001 - throttling cannot be had from moto
        answer = {"Responses": {"sessions": []}, "UnprocessedKeys": {"sessions": {"Keys": [key]}}}
        stub.add_response("batch_get_item", answer)
        assert {"0000000b": None} == table.get_many(["0000000a", "0000000b"])


@pytest.mark.usefixtures("client")
def test_a_table_that_cannot_be_read_is_said_with_its_name() -> None:
    table = SessionsTable("missing")
    with pytest.raises(TableUnavailableError, match="missing"):
        table.get("09e22a8b")
    with pytest.raises(TableUnavailableError, match="missing"):
        table.get_many(["09e22a8b"])
    with pytest.raises(TableUnavailableError, match="missing"):
        table.note_visit("09e22a8b", VISIT)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (VISIT, "2026-11-22T10:00:00.000Z"),
        (VISIT + timedelta(microseconds=1_999), "2026-11-22T10:00:00.001Z"),
        (VISIT.astimezone(timezone(timedelta(hours=2))), "2026-11-22T10:00:00.000Z"),
    ],
)
def test_a_visit_is_written_in_utc_to_the_millisecond_and_changes_nothing_else(
    client: Any,  # noqa: ANN401 - one of boto3's made-up classes
    moment: datetime,
    written: str,
) -> None:
    put(client, "09e22a8b", status={"S": "RUNNING"}, ip={"S": "10.0.0.9"})
    SessionsTable("sessions").note_visit("09e22a8b", moment)
    (item,) = client.scan(TableName="sessions")["Items"]
    assert {
        "pk": {"S": "SESSION#09e22a8b"},
        "sk": {"S": "SESSION"},
        "status": {"S": "RUNNING"},
        "ip": {"S": "10.0.0.9"},
        "last_visited_at": {"S": written},
    } == item


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "COMPLETED", "STOPPED", "FAILED"])
def test_a_visit_is_written_on_no_session_that_does_not_run(client: Any, status: str) -> None:  # noqa: ANN401 - one of boto3's made-up classes
    put(client, "09e22a8b", status={"S": status})
    SessionsTable("sessions").note_visit("09e22a8b", VISIT)
    assert last_visited_at(client, "09e22a8b") is None


def test_a_visit_makes_no_row(client: Any) -> None:  # noqa: ANN401 - one of boto3's made-up classes
    SessionsTable("sessions").note_visit("09e22a8b", VISIT)
    assert [] == client.scan(TableName="sessions")["Items"]


def test_of_two_proxies_visits_the_later_stands(client: Any) -> None:  # noqa: ANN401 - one of boto3's made-up classes
    put(client, "09e22a8b", status={"S": "RUNNING"})
    for minutes in (1, 2, 0):
        SessionsTable("sessions").note_visit("09e22a8b", VISIT + timedelta(minutes=minutes))
    assert "2026-11-22T10:02:00.000Z" == last_visited_at(client, "09e22a8b")

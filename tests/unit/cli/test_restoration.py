"""`cloud-agent restore`: what the sessions table has lost comes back, and nothing that would stand in anybody's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from tests.kit.sessions import ISSUE, REPO, REPOSITORY_ID, TABLE, a_row

from cloud_agent.adapters.table.keys import SLOTS_KEY, lock_key, pull_key, session_key
from cloud_agent.domain.session.canary import CANARY_ID
from cloud_agent_cli.errors import RestorationError
from cloud_agent_cli.restoration import Restored, restore, run
from cloud_agent_cli.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb.service_resource import Table

ID, LATER = "09e22a8b", "0badcafe"


def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    factory: Any = boto3.client
    return factory(service, region_name="us-east-1")


class Tables:
    """The stack's table, and the one that DynamoDB restored."""

    def __init__(self) -> None:
        dynamodb = boto3.resource("dynamodb", region_name="us-east-1")
        self.now: Table = dynamodb.create_table(TableName="sessions", **TABLE)
        self.then: Table = dynamodb.create_table(TableName="sessions-restored", **TABLE)
        self.now.put_item(Item=slots())

    def restore(self) -> Restored:
        return restore(client, self.then.name, self.now.name)

    def of(self, key: dict[str, str]) -> dict[str, Any]:
        return dict(self.now.get_item(Key=key).get("Item", {}))

    def entries(self) -> dict[str, Any]:
        item = self.of(SLOTS_KEY)
        return {"live": item["live"], "waiting": item["waiting"]}


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Tables()


def slots(**live: str) -> dict[str, Any]:
    return {**SLOTS_KEY, "live": live, "waiting": {}, "version": 1}


def lock(session_id: str = ID) -> dict[str, Any]:
    return lock_key(REPOSITORY_ID, ISSUE) | {"session_id": session_id, "expires_at": 2_000_000_000}


def pull() -> dict[str, Any]:
    return pull_key(REPOSITORY_ID, 261) | {"session_id": ID}


def test_what_is_missing_is_copied_and_what_is_there_stays(tables: Tables) -> None:
    for row in (a_row(ID, status="FAILED"), a_row(LATER, status="FAILED"), pull(), slots()):
        tables.then.put_item(Item=row)
    tables.now.put_item(Item=a_row(LATER, status="STOPPED"))

    assert tables.restore() == Restored(read=4, rows=2)

    assert tables.of(session_key(ID)) == a_row(ID, status="FAILED")
    assert tables.of(pull_key(REPOSITORY_ID, 261)) == pull()
    assert tables.of(session_key(LATER))["status"] == "STOPPED"


@pytest.mark.parametrize(
    ("status", "entries"),
    [
        ("RUNNING", {"live": {ID: REPO}, "waiting": {}}),
        ("STARTING", {"live": {ID: REPO}, "waiting": {}}),
        ("QUEUED", {"live": {}, "waiting": {ID: {"repo": REPO, "since": "2026-11-22T07:00:00.000Z"}}}),
        ("COMPLETED", {"live": {}, "waiting": {}}),
    ],
)
def test_a_live_session_is_looked_after_again(tables: Tables, status: str, entries: dict[str, Any]) -> None:
    """What isn't in the row of slots is seen by nobody, and would keep its issue's lock for days."""
    tables.then.put_item(Item=a_row(ID, status=status))

    for _ in range(2):
        tables.restore()
        assert entries == tables.entries()


def test_an_interrupted_restoration_is_made_whole_by_the_next(tables: Tables) -> None:
    for table in (tables.then, tables.now):
        table.put_item(Item=a_row(ID))
    tables.then.put_item(Item=lock())

    assert tables.restore() == Restored(read=2, rows=1)

    assert tables.entries() == {"live": {ID: REPO}, "waiting": {}}
    assert tables.of(lock_key(REPOSITORY_ID, ISSUE)) == lock()


def test_a_session_that_has_ended_meanwhile_has_neither_lock_nor_slot(tables: Tables) -> None:
    """Its end deleted the lock: to put that back would keep everybody from starting a session on the issue."""
    for row in (a_row(ID), lock(), slots(**{ID: REPO})):
        tables.then.put_item(Item=row)
    tables.now.put_item(Item=a_row(ID, status="COMPLETED"))

    assert tables.restore() == Restored(read=3, rows=0)

    assert tables.of(lock_key(REPOSITORY_ID, ISSUE)) == {}
    assert tables.entries() == {"live": {}, "waiting": {}}


def test_a_later_session_keeps_its_issue(tables: Tables) -> None:
    for row in (a_row(ID), lock()):
        tables.then.put_item(Item=row)
    for row in (a_row(LATER), lock(LATER), slots(**{LATER: REPO})):
        tables.now.put_item(Item=row)

    tables.restore()

    assert tables.of(lock_key(REPOSITORY_ID, ISSUE)) == lock(LATER)
    assert tables.entries() == {"live": {ID: REPO, LATER: REPO}, "waiting": {}}


def test_the_canary_is_no_session(tables: Tables) -> None:
    tables.then.put_item(Item=session_key(CANARY_ID) | {"session_id": CANARY_ID, "status": "RUNNING"})

    assert tables.restore() == Restored(read=1, rows=1)

    assert tables.entries() == {"live": {}, "waiting": {}}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("source", "words"), [("sessions", "the stack's own table"), ("nowhere", "Scan: Requested resource not found")]
)
def test_a_table_that_cannot_be_the_restored_one_is_refused(source: str, words: str) -> None:
    template = (
        '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"SessionsTable": {"Value": "sessions"}}}'
    )
    client("cloudformation").create_stack(StackName="stack", TemplateBody=template)

    with pytest.raises(RestorationError, match=words):
        run(Target("stack", "in us-east-1", client), source)
    with pytest.raises(RestorationError, match="DescribeStacks: "):
        run(Target("nothing", "in us-east-1", client), source)

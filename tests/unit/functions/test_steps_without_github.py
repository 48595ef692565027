"""The states whose work is the table and ECS: run twice, they leave the same."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from tests.kit.sessions import a_row

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.domain.errors import SessionOverError, TaskNotRunningError
from cloud_agent.workflow import close_session, register_ip

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import Ecs
    from tests.unit.functions.conftest import Context

ID = "6020583d"


@pytest.fixture
def event(environment: Callable[..., None], sample: Callable[[str], dict[str, Any]], table: Table) -> dict[str, Any]:
    """The sample of "Register IP"; its session is claimed."""
    event = sample("register_ip.json")
    table.put_item(Item=a_row(ID, status="STARTING", execution_arn=event["execution_arn"]))
    return event


def _row(table: Table) -> dict[str, Any]:
    return dict(table.get_item(Key=session_key(ID))["Item"])


def test_the_row_gets_the_address_that_ecs_reports(
    event: dict[str, Any], table: Table, ecs: Ecs, context: Context
) -> None:
    arn = ecs.add("a", ID, 1, "10.0.2.133")
    for _ in range(2):
        assert {"task_arn": arn, "ip": "10.0.2.133", "port": 3000} == register_ip.handler(event, context)
    row = _row(table)
    assert ("RUNNING", arn, "10.0.2.133", 3000) == (row["status"], row["task_arn"], row["ip"], row["port"])


def test_a_task_that_is_gone_leaves_the_session_starting(
    event: dict[str, Any], table: Table, ecs: Ecs, context: Context
) -> None:
    with pytest.raises(TaskNotRunningError):
        register_ip.handler(event, context)
    assert _row(table)["status"] == "STARTING"


def test_an_ended_session_gets_no_address(event: dict[str, Any], table: Table, ecs: Ecs, context: Context) -> None:
    ecs.add("a", ID, 1, "10.0.2.133")
    table.put_item(Item=_row(table) | {"status": "STOPPED"})
    with pytest.raises(SessionOverError, match=ID):
        register_ip.handler(event, context)
    assert _row(table)["status"] == "STOPPED"


@pytest.mark.parametrize("port", [80, 65_536, "x", None])
def test_the_agents_word_for_the_port_is_bounded(event: dict[str, Any], context: Context, port: object) -> None:
    with pytest.raises(ValidationError, match="port"):
        register_ip.handler(event | {"port": port}, context)


def test_a_session_that_failed_before_its_pull_request_is_closed_without_github(
    event: dict[str, Any], sample: Callable[[str], dict[str, Any]], table: Table, context: Context
) -> None:
    close = sample("close_session.json") | {"execution_arn": event["execution_arn"]}
    for _ in range(2):
        assert close_session.handler(close, context) == {"status": "STOPPED"}
    assert ("STOPPED", close["reason"]) == (_row(table)["status"], _row(table)["end_reason"])


def test_a_session_that_was_never_claimed_is_closed_all_the_same(
    environment: Callable[..., None], sample: Callable[[str], dict[str, Any]], table: Table, context: Context
) -> None:
    assert close_session.handler(sample("close_session.json"), context) == {"status": "STOPPED"}
    assert table.scan()["Items"] == []


def test_every_line_of_a_step_carries_session_and_execution(
    event: dict[str, Any], ecs: Ecs, context: Context, logs: io.StringIO
) -> None:
    ecs.add("a", ID, 1, "10.0.2.133")
    register_ip.handler(event, context)
    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["step started", "address registered"]
    assert {(ID, event["execution_arn"])} == {(line["session_id"], line["execution_arn"]) for line in lines}

"""What a session's row says of its task: what comes twice does no harm, what comes late changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import a_row

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.adapters.table.session_tasks import SessionTasks
from cloud_agent.domain.session.agent_task import AgentTask
from cloud_agent.domain.session.session import SessionStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ID = "09e22a8b"
TASK = "arn:aws:ecs:us-east-1:123456789012:task/test/1"
LOGS = "https://us-east-1.console.aws.amazon.com/cloudwatch/home"
CREATED, LATER = "2026-11-22T08:00:12.031Z", "2026-11-22T08:00:12.032Z"
ENDED = [SessionStatus.COMPLETED, SessionStatus.STOPPED, SessionStatus.FAILED]


def task(**changes: Any) -> AgentTask:  # noqa: ANN401 - any member
    """The session's task as ECS describes it while it runs."""
    interface = {"details": [{"name": "privateIPv4Address", "value": "10.0.2.133"}]}
    return AgentTask.model_validate(
        {
            "taskArn": TASK,
            "group": f"session:{ID}",
            "version": 3,
            "createdAt": CREATED,
            "lastStatus": "RUNNING",
            "attachments": (interface,),
            **changes,
        }
    )


@pytest.fixture
def tasks(table: Table) -> SessionTasks:
    return SessionTasks(table.name)


def _put(table: Table, status: str = "STARTING", **attributes: str) -> None:
    table.put_item(Item=a_row(ID, status=status, **attributes))


def _row(table: Table) -> dict[str, Any]:
    return dict(table.get_item(Key=session_key(ID)).get("Item", {}))


def test_a_starting_session_becomes_running_at_its_address(table: Table, tasks: SessionTasks) -> None:
    _put(table)
    for _ in range(2):
        assert tasks.mark_running(ID, task(), 3000)
    row = _row(table)
    assert (row["status"], row["task_arn"], row["ip"], row["port"]) == ("RUNNING", TASK, "10.0.2.133", 3000)


@pytest.mark.parametrize("status", [*ENDED, SessionStatus.QUEUED])
def test_a_session_that_is_not_starting_gets_no_address(
    table: Table, tasks: SessionTasks, status: SessionStatus
) -> None:
    _put(table, status=status)
    assert not tasks.mark_running(ID, task(), 3000)
    assert (status, False) == (_row(table)["status"], "ip" in _row(table))


def test_a_task_is_known_to_its_session_from_its_first_event(table: Table, tasks: SessionTasks) -> None:
    _put(table)
    for _ in range(2):
        assert tasks.record(ID, task(version=1, lastStatus="PROVISIONING", attachments=()), LOGS)
    row = _row(table)
    assert (row["task_arn"], row["logs_url"], "ip" in row) == (TASK, LOGS, False)
    assert tasks.record(ID, task(), LOGS)
    row = _row(table)
    assert (row["status"], row["task_arn"], row["ip"], "port" in row) == ("STARTING", TASK, "10.0.2.133", False)


def test_an_event_that_comes_late_changes_nothing(table: Table, tasks: SessionTasks) -> None:
    _put(table)
    stopped = task(version=6, lastStatus="STOPPED", stoppedReason="over")
    assert tasks.record(ID, stopped, LOGS)
    assert tasks.record(ID, stopped, LOGS), "whoever was interrupted may go on"
    left = _row(table)
    assert left["task_stopped_reason"] == "over"
    for version in (1, 3, 5):
        assert tasks.record(ID, task(version=version), LOGS) is None
    assert _row(table) == left


def test_of_two_tasks_of_a_session_the_newer_is_its_own(table: Table, tasks: SessionTasks) -> None:
    """A RunTask whose answer was lost is tried again."""
    _put(table)
    older, newer = task(version=6, lastStatus="STOPPED"), task(taskArn=TASK + "0", version=1, createdAt=LATER)
    assert tasks.record(ID, older, LOGS)
    assert tasks.record(ID, newer, LOGS)
    assert tasks.record(ID, older.model_copy(update={"version": 9}), LOGS) is None
    row = _row(table)
    assert (row["task_arn"], row["task_version"], "task_stopped_reason" in row) == (TASK + "0", 1, False)


@pytest.mark.parametrize("status", [*ENDED, SessionStatus.QUEUED])
def test_a_task_is_no_news_to_a_session_that_has_none(table: Table, tasks: SessionTasks, status: SessionStatus) -> None:
    _put(table, status=status)
    assert tasks.record(ID, task(), LOGS) is None
    assert "task_arn" not in _row(table)


def test_a_stopped_task_is_noted_on_its_live_session(table: Table, tasks: SessionTasks) -> None:
    _put(table, task_arn=TASK)
    for _ in range(2):
        session = tasks.record_stopped(ID, TASK, "exit code 137")
        assert session is not None
        assert session.session_id == ID
    assert _row(table)["task_stopped_reason"] == "exit code 137"


@pytest.mark.parametrize("status", ENDED)
def test_a_stopped_task_is_no_news_to_an_ended_session(
    table: Table, tasks: SessionTasks, status: SessionStatus
) -> None:
    _put(table, status=status, task_arn=TASK)
    assert tasks.record_stopped(ID, TASK, "x") is None
    assert "task_stopped_reason" not in _row(table)


def test_an_earlier_tasks_end_is_not_noted_on_a_session_that_has_a_newer_one(table: Table, tasks: SessionTasks) -> None:
    _put(table, status="RUNNING", task_arn=TASK)
    assert tasks.record_stopped(ID, TASK + "0", "x") is None
    assert "task_stopped_reason" not in _row(table)
    assert tasks.record_stopped(ID, TASK, "x") is not None


def test_the_end_of_an_unknown_sessions_task_makes_no_row(table: Table, tasks: SessionTasks) -> None:
    assert tasks.record_stopped(ID, TASK, "x") is None
    assert _row(table) == {}


def test_a_session_that_waits_for_a_slot_has_no_task_to_lose(table: Table, tasks: SessionTasks) -> None:
    _put(table, status="QUEUED")
    assert tasks.record_stopped(ID, TASK, "x") is None
    assert "task_stopped_reason" not in _row(table)

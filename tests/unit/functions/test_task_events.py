"""A task's changes reach the session's row, and its end the wait that the session's execution is in."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import a_row

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.task_events.handler import handler

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.conftest import Context

    Stop = Callable[..., int]

ID = "6020583d"
FIRST, SECOND = "AQCMAAAAKgAAAAMAAAAA-sample-task-token", "LIFECYCLE-TOKEN"
CLUSTER = "claude-cloud-agent-Cluster-1A2B3C4D5E6F"
TASK = f"arn:aws:ecs:eu-central-1:123456789012:task/{CLUSTER}/0f9de17a6465404e8b1b2356dc13c2f8"
OWN: Any = {"task_arn": TASK, "task_created_at": "2026-11-22T08:00:12.031Z", "task_version": 3}
WORDS = "Essential container in task exited; OutOfMemoryError: Container killed due to memory usage; exit code 137"


@pytest.fixture
def stop(
    environment: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    step_functions: StepFunctions,
    context: Context,
) -> Stop:
    """Deliver the sample event, its detail changed as told; returns how many waits it failed."""
    return _delivery(sample, context, "container_exited")


@pytest.fixture
def run(environment: Callable[..., None], sample: Callable[[str], dict[str, Any]], context: Context) -> Stop:
    """The same with the event of a task that runs."""
    return _delivery(sample, context, "task_running")


def _delivery(sample: Callable[[str], dict[str, Any]], context: Context, name: str) -> Stop:
    def deliver(**detail: object) -> int:
        event = sample(f"task_events/{name}.json")
        event["detail"] |= detail
        return int(handler(event, context)["failed_waits"])

    return deliver


def _put(table: Table, **attributes: Any) -> None:  # noqa: ANN401 - a row's values
    table.put_item(Item=a_row(ID, **attributes))


def _note(table: Table) -> object:
    return table.get_item(Key=session_key(ID)).get("Item", {}).get("task_stopped_reason")


def test_a_session_that_starts_fails_at_once_with_ecss_words(
    stop: Stop, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, status="STARTING")
    assert stop() == 1
    assert step_functions.failed == [(FIRST, "AgentTaskStoppedError", WORDS)]
    assert _note(table) == WORDS


def test_a_supervised_session_fails_at_once(stop: Stop, table: Table, step_functions: StepFunctions) -> None:
    step_functions.late[FIRST] = "TaskTimedOut"
    _put(table, lifecycle_token=SECOND, **OWN)
    assert stop() == 1
    assert step_functions.failed == [(SECOND, "AgentTaskStoppedError", WORDS)]


def test_between_the_two_waits_the_note_is_what_is_left(
    stop: Stop, table: Table, step_functions: StepFunctions
) -> None:
    step_functions.late[FIRST] = "TaskTimedOut"
    _put(table, **OWN)
    assert stop() == 0
    assert _note(table) == WORDS


def test_a_session_with_a_newer_task_is_left_alone(stop: Stop, table: Table, step_functions: StepFunctions) -> None:
    step_functions.late[FIRST] = "TaskTimedOut"
    _put(table, lifecycle_token=SECOND, task_arn=TASK + "0", task_created_at="2026-11-22T08:02:00.000Z")
    assert stop() == 0
    assert step_functions.failed == []
    assert _note(table) is None


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
def test_an_ended_session_is_left_alone(stop: Stop, table: Table, step_functions: StepFunctions, status: str) -> None:
    step_functions.late[FIRST] = "TaskDoesNotExist"
    _put(table, status=status, **OWN)
    assert stop() == 0
    assert _note(table) is None


def test_a_session_that_waits_for_its_slot_has_no_task_to_lose(
    stop: Stop, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, status="QUEUED", start_token="WAIT-FOR-SLOT")
    step_functions.late[FIRST] = "TaskDoesNotExist"
    assert stop() == 0
    assert _note(table) is None
    assert step_functions.failed == []


def test_a_session_that_is_asked_to_end_fails_its_wait_and_the_workflow_reads_why(
    stop: Stop, table: Table, step_functions: StepFunctions
) -> None:
    step_functions.late[FIRST] = "TaskTimedOut"
    ending = {"status": "STOPPED", "reason": "The issue was closed."}
    _put(table, lifecycle_token=SECOND, **OWN, ending=ending)
    assert stop() == 1
    assert ending == table.get_item(Key=session_key(ID))["Item"]["ending"]


def test_a_session_whose_row_is_gone_still_ends_its_wait(stop: Stop, step_functions: StepFunctions) -> None:
    assert stop() == 1
    assert [token for token, _, _ in step_functions.failed] == [FIRST]


def test_the_event_delivered_twice_fails_the_wait_once(stop: Stop, table: Table, step_functions: StepFunctions) -> None:
    _put(table, status="STARTING")
    assert stop() == 1
    step_functions.late[FIRST] = "TaskTimedOut"
    assert stop() == 0
    assert len(step_functions.failed) == 1


def test_a_task_that_runs_is_recorded_with_its_address_and_ends_no_wait(
    run: Stop, table: Table, step_functions: StepFunctions
) -> None:
    _put(table, status="STARTING")
    assert run() == 0
    row = table.get_item(Key=session_key(ID))["Item"]
    assert (row["status"], row["task_arn"], row["ip"]) == ("STARTING", TASK, "10.0.2.133")
    assert str(row["logs_url"]).endswith("/session$252Fagent$252F0f9de17a6465404e8b1b2356dc13c2f8")
    assert step_functions.failed == []


@pytest.mark.parametrize("group", ["family:claude-cloud-agent-agent", "service:claude-cloud-agent-proxy"])
def test_the_end_of_another_kind_of_task_is_nobodys(
    stop: Stop, table: Table, step_functions: StepFunctions, group: str
) -> None:
    _put(table)
    assert stop(group=group) == 0
    assert step_functions.failed == []
    assert _note(table) is None


def test_no_token_of_the_event_is_logged(
    stop: Stop, table: Table, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    _put(table, lifecycle_token=SECOND, **OWN)
    stop()
    written = logs.getvalue() + "".join(capfd.readouterr())
    assert "task stopped" in written
    for token in (FIRST, SECOND, "3f0c1d6e-8f0b-4d5e-9a77-0c6f1c1f9b52"):
        assert token not in written

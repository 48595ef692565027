"""The workflow's stream of a transcript: each status once, and at the end what the execution went through."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import serialized
from tests.kit.transcript_contract import objections_to_batch

from cloud_agent.adapters.table.keys import session_key, transcript_key
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.transcript_positions import TranscriptPositions
from cloud_agent.domain.session import transcript_position
from cloud_agent.publisher.handler import handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.service_resource import Bucket
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.conftest import Context

    Event = dict[str, Any]
    Publish = Callable[..., None]

ID = "09e22a8b"
ARN = f"arn:aws:states:us-east-1:123456789012:execution:session:{ID}"
FAILED = {"status": "FAILED", "end_reason": "GitHub didn't respond.", "ended_at": "2026-11-22T08:10:00.500Z"}


@pytest.fixture
def publish(
    environment: Callable[..., None],
    put_session: Callable[..., None],
    bucket: Bucket,
    step_functions: StepFunctions,
    context: Context,
) -> Publish:
    """Put the session's row, and hand its change to the function. There is no pull request, and so no comment."""
    record = {"eventName": "MODIFY", "dynamodb": {"Keys": serialized(session_key(ID))}}

    def change(status: str, **attributes: object) -> None:
        put_session(ID, pull_number=None, status=status, **attributes)
        handler({"Records": [record]}, context)

    return change


@pytest.fixture
def read(table: Table, bucket: Bucket) -> Callable[[], list[Event]]:
    """Return what a reader finds: the events of each batch up to the number in the row, as the contract has them."""

    def events() -> list[Event]:
        row = table.get_item(Key=transcript_key(ID)).get("Item", {})
        found: list[Event] = []
        for batch in range(1, int(str(row.get("workflow_batches", 0))) + 1):
            content = bucket.Object(f"transcripts/{ID}/workflow/{batch:010d}.jsonl").get()["Body"].read()
            assert objections_to_batch(content, len(found) + 1) == []
            found += map(json.loads, content.decode().splitlines())
        return found

    return events


def _statuses(events: list[Event]) -> list[str]:
    return [event["status"] for event in events if event["kind"] == "status"]


def _history(*events: tuple[str, dict[str, Any]]) -> list[Event]:
    """Return a history, its events a second apart."""
    return [
        {"id": number, "type": kind, "timestamp": 1_795_334_400 + number, **details}
        for number, (kind, details) in enumerate(events, 1)
    ]


def _entered(name: str, kind: str = "Task") -> tuple[str, dict[str, Any]]:
    return f"{kind}StateEntered", {"stateEnteredEventDetails": {"name": name}}


def _left(name: str, kind: str = "Task") -> tuple[str, dict[str, Any]]:
    return f"{kind}StateExited", {"stateExitedEventDetails": {"name": name}}


SCHEDULED = ("TaskScheduled", {"taskScheduledEventDetails": {"resource": "invoke"}})
SUCCEEDED = ("TaskSucceeded", {"taskSucceededEventDetails": {"resource": "invoke"}})


def _task_failed(error: str, cause: str) -> tuple[str, dict[str, Any]]:
    return "TaskFailed", {"taskFailedEventDetails": {"resource": "invoke", "error": error, "cause": cause}}


def test_each_status_is_recorded_once_however_often_the_stream_tells_of_the_row(
    publish: Publish, read: Callable[[], list[Event]]
) -> None:
    for status in ("QUEUED", "QUEUED", "STARTING", "RUNNING", "RUNNING", "QUEUED", "STARTING"):
        publish(status)
    for _ in range(2):
        publish(**FAILED)

    events = read()
    assert _statuses(events) == ["QUEUED", "STARTING", "RUNNING", "QUEUED", "STARTING", "FAILED"]
    assert (events[-1]["reason"], events[-1]["at"]) == (FAILED["end_reason"], FAILED["ended_at"])
    assert {event["reason"] for event in events[:-1]} == {""}


def test_an_object_that_the_row_does_not_count_yet_is_part_of_the_stream_from_the_next_try_on(
    publish: Publish, read: Callable[[], list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(TranscriptPositions, "advance", lambda *_: 1 / 0)
        publish("QUEUED")
    assert read() == []

    publish("STARTING")
    assert _statuses(read()) == ["QUEUED", "STARTING"]


def test_what_was_read_before_somebody_else_went_on_is_not_recorded(
    publish: Publish, read: Callable[[], list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("QUEUED")
    get, overtaking = SessionsTable.get, ["STARTING"]

    def overtaken(self: SessionsTable, session_id: str) -> object:
        session = get(self, session_id)
        if session.status == "STARTING" and overtaking:
            overtaking.clear()
            publish("RUNNING")  # by another invocation, between this one's reading and writing
        return session

    monkeypatch.setattr("cloud_agent.publisher.handler.refresh", lambda *_: None)
    monkeypatch.setattr(SessionsTable, "get", overtaken)
    publish("STARTING")

    assert _statuses(read()) == ["QUEUED", "RUNNING"]


def test_an_end_comes_with_the_states_that_the_execution_went_through(
    publish: Publish, read: Callable[[], list[Event]], step_functions: StepFunctions
) -> None:
    no_answer = json.dumps({"errorType": "GitHubUnavailableError", "errorMessage": "503 from GitHub", "stackTrace": []})
    step_functions.histories[ARN] = _history(
        ("ExecutionStarted", {"executionStartedEventDetails": {}}),
        _entered("Create Branch"),
        SCHEDULED,
        _task_failed("GitHubUnavailableError", no_answer),
        SCHEDULED,
        SUCCEEDED,
        _left("Create Branch"),
        _entered("Slot Taken?", "Choice"),
        _left("Slot Taken?", "Choice"),
        _entered("Announce Session"),
        SCHEDULED,
        _task_failed("GitHubUnavailableError", no_answer),
        SCHEDULED,
        ("TaskTimedOut", {"taskTimedOutEventDetails": {"resource": "invoke", "error": "States.Timeout"}}),
        _left("Announce Session"),
        _entered("Close Session"),
        SCHEDULED,
    )

    for _ in range(2):
        publish(**FAILED)

    status, *states = read()
    assert (status["kind"], {state["at"] for state in states}) == ("status", {FAILED["ended_at"]})
    at = "2026-11-22T08:00:{:02d}.000Z".format
    assert [(one["state"], one["entered"], one["exited"], one["retries"], one["error"]) for one in states] == [
        ("Create Branch", at(2), at(7), 1, None),
        ("Slot Taken?", at(8), at(9), 0, None),
        ("Announce Session", at(10), at(15), 1, "States.Timeout"),
        ("Close Session", at(16), None, 0, None),
    ]


def test_a_failed_state_has_the_message_of_its_cause_and_no_more_than_can_be_shown(
    publish: Publish, read: Callable[[], list[Event]], step_functions: StepFunctions
) -> None:
    cause = json.dumps({"errorMessage": "x" * 2_005, "stackTrace": ["at a file of ours"]})
    failed = {"executionFailedEventDetails": {"error": "AgentError", "cause": "It ended."}}
    step_functions.histories[ARN] = _history(
        ("ExecutionStarted", {}),
        _entered("Run Agent"),
        _task_failed("AgentError", cause),
        _left("Run Agent"),
        _entered("Session Failed", "Fail"),
        ("ExecutionFailed", failed),
    )
    publish(**FAILED)

    _, run, end = read()
    assert (run["error"], run["cause"], run["cut"]) == ("AgentError", "x" * 2_000, {"cause": 5})
    assert (end["error"], end["cause"], end["exited"]) == ("AgentError", "It ended.", "2026-11-22T08:00:06.000Z")


@pytest.mark.parametrize(
    "limit",
    [
        ("cloud_agent.domain.session.executed_states.STATES_LIMIT", 2),
        ("cloud_agent.adapters.aws.workflow._HISTORY_LIMIT", 5),
    ],
    ids=["of states", "of events"],
)
def test_of_a_long_execution_the_last_states_are_recorded_and_a_notice_says_so(
    publish: Publish,
    read: Callable[[], list[Event]],
    step_functions: StepFunctions,
    monkeypatch: pytest.MonkeyPatch,
    limit: tuple[str, int],
) -> None:
    monkeypatch.setattr(*limit)
    waited = [step for _ in range(3) for step in (_entered("Wait For Slot"), _left("Wait For Slot"))]
    step_functions.histories[ARN] = _history(("ExecutionStarted", {}), *waited)

    publish(**FAILED)

    _, notice, *states = read()
    assert (notice["kind"], notice["text"]) == (
        "notice",
        "The execution went through earlier states, too, which aren't listed.",
    )
    assert [state["state"] for state in states] == ["Wait For Slot"] * 2


def test_of_an_execution_that_is_gone_the_status_is_recorded_alone(
    publish: Publish, read: Callable[[], list[Event]]
) -> None:
    publish(**FAILED)
    assert _statuses(read()) == ["FAILED"]
    assert len(read()) == 1


def test_a_transcript_that_is_full_takes_no_more_statuses(
    publish: Publish, read: Callable[[], list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("QUEUED")
    monkeypatch.setattr(transcript_position, "BATCHES_LIMIT", 1)
    for status in ("STARTING", "RUNNING"):
        publish(status)

    assert [event["kind"] for event in read()] == ["status", "notice"]

"""A session from its label to its end, followed closely: whatever stops its workflow fails the test at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.system import ENDED, wait_for
from tests.kit.workflow_states import WAY_TO_THE_URL

from cloud_agent_cli.targets import Target
from cloud_agent_cli.transcript import Form, TranscriptError, lines
from cloud_agent_local.deployment import STACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.system import Session, System


@pytest.fixture
def session(stage: System) -> Iterator[Session]:
    """A session that has just been asked for. Its agent takes up the issue and isn't seen again."""
    started = stage.start("From label to end", "agent: silent")
    try:
        yield started
    finally:
        if execution(stage, started) != "RUNNING" and stage.row(started.id).get("status") not in ENDED | {None}:
            # Its workflow was not able to close it.
            ago = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            stage.write(started, created_at=ago)
            stage.reconcile()


def events_of(stage: System, session: Session) -> list[dict[str, Any]]:
    """The session's transcript."""
    try:
        printed = list(lines(Target(STACK, "here", stage.client), session.id, Form.JSONL))
    except TranscriptError:  # nothing is there yet
        return []
    return [json.loads(line) for line in printed]


def history(stage: System, session: Session) -> tuple[list[str], list[str]]:
    """The statuses in the session's transcript, and the states that its execution went through."""
    events = events_of(stage, session)
    statuses = [event["status"] for event in events if event["kind"] == "status"]
    return statuses, [event["state"] for event in events if event["kind"] == "execution"]


def execution(stage: System, session: Session) -> str:
    """How the session's execution is."""
    return str(stage.executions.client.describe_execution(executionArn=session.execution_arn)["status"])


def test_a_session_goes_from_its_label_to_its_end_and_the_workflow_stops_its_task(
    stage: System, session: Session
) -> None:
    _, row = wait_for(
        lambda: (execution(stage, session), stage.row(session.id)),
        lambda seen: (
            seen[0] != "RUNNING" or ("lifecycle_token" in seen[1] and "turn_started" in seen[1].get("activity", ""))
        ),
    )
    assert "lifecycle_token" in row, row.get("end_reason", "there is no row")
    wait_for(lambda: history(stage, session)[0], lambda seen: "RUNNING" in seen)
    stage.comment(row["pull_number"], "/stop")

    assert stage.wait_for_end(session) == "SUCCEEDED"
    assert stage.row(session.id)["status"] == "STOPPED"
    cluster = stage.installation.outputs["ClusterArn"]
    (task,) = stage.client("ecs").describe_tasks(cluster=cluster, tasks=[row["task_arn"]])["tasks"]
    assert task.get("stoppedReason") == "Session over: Stopped by octo-dev."
    statuses, states = wait_for(lambda: history(stage, session), lambda seen: bool(seen[1]), 20)
    assert statuses[-2:] == ["RUNNING", "STOPPED"]  # which of the quick ones are seen before is the clock's affair
    assert states[: len(WAY_TO_THE_URL)] == WAY_TO_THE_URL
    assert "Close Session" in states[-3:]
    told = [event for event in events_of(stage, session) if event["kind"] in {"command", "status"}]
    assert [(event.get("name"), event.get("author"), event.get("status")) for event in told[-2:]] == [
        ("stop", "octo-dev", None),
        (None, None, "STOPPED"),
    ]

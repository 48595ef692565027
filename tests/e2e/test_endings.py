"""Every way a session can end, in every state it can be in: once, with its reason, and nothing left behind."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import Session, System

KEYS = itertools.count(1)  # of a tracker: a key, and so a branch, belongs to one issue for good
WAYS = {
    "the pull request is merged": ("COMPLETED", "The pull request was merged."),
    "the pull request is closed": ("STOPPED", "The pull request was closed."),
    "the label is taken off": ("STOPPED", "The label claude-dev was removed from the issue."),
    "the issue is closed": ("STOPPED", "The issue was closed."),
    "somebody says /stop": ("STOPPED", "Stopped by octo-dev."),
}


def end(stage: System, session: Session, way: str) -> None:
    """What a person does."""
    pull = stage.row(session.id)["pull_number"]
    path = f"/repos/{stage.repository}"
    match way:
        case "the pull request is merged":
            stage.mark_ready(int(pull))
            stage.github.call("PUT", f"{path}/pulls/{pull}/merge", {})
        case "the pull request is closed":
            stage.github.call("PATCH", f"{path}/pulls/{pull}", {"state": "closed"})
        case "the label is taken off":
            stage.unlabel(session.issue_number)
        case "the issue is closed":
            state = {"state": "closed", "state_reason": "not_planned"}
            stage.github.call("PATCH", f"{path}/issues/{session.issue_number}", state)
        case "somebody says /stop":
            stage.comment(pull, "/stop")


def queued(stage: System) -> Session:
    """A session without a slot: others hold them all."""
    for _ in range(3):
        other = stage.start(f"SLOW-{next(KEYS)} Hold a slot", "Please.")
        stage.wait_for_row(other, lambda row: row.get("status") == "STARTING")
    session = stage.start("Wait", "Please.")
    stage.wait_for_row(session, lambda row: "start_token" in row)
    return session


def starting(stage: System) -> Session:
    """A session whose agent is not ready yet and will not be."""
    session = stage.start(f"SLOW-{next(KEYS)} Take your time", "Please.")
    stage.wait_for_row(session, lambda row: row.get("status") == "STARTING" and "start_token" in row)
    return session


def running(stage: System, body: str = "Please.") -> Session:
    """A session that is supervised and has answered its issue."""
    session = stage.start("Run", body)
    stage.wait_for_row(session, lambda row: "lifecycle_token" in row)
    return session


STATES = {"QUEUED": queued, "STARTING": starting, "RUNNING": running}


def is_over(stage: System, session: Session, status: str, reason: str) -> None:
    """The row has its end, slot and lock are free, no task runs, comment and Deployment say so."""
    assert ("FAILED" if status == "FAILED" else "SUCCEEDED") == stage.wait_for_end(session)
    row = stage.row(session.id)
    assert status == row["status"]
    assert reason in row["end_reason"]
    live, waiting = stage.slots()
    assert session.id not in live | set(waiting)
    wait_for(lambda: stage.running_tasks(session), lambda tasks: tasks == [])
    assert int(row["expires_at"]) > datetime.now(UTC).timestamp() + 29 * 86_400
    said = stage.wait_for_status(session, status.capitalize())
    assert reason.rstrip(".") in said
    deployments = stage.github.call(
        "GET", f"/repos/{stage.repository}/deployments?environment=uat/pr-{row['pull_number']}"
    )
    statuses = stage.github.call("GET", f"/repos/{stage.repository}/deployments/{deployments[0]['id']}/statuses")
    assert ("error" if status == "FAILED" else "inactive") == statuses[0]["state"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("way", WAYS)
def test_what_people_do_ends_a_session_in_any_state(stage: System, way: str, state: str) -> None:
    session = STATES[state](stage)
    end(stage, session, way)
    is_over(stage, session, *WAYS[way])


def test_a_label_taken_off_while_the_session_starts_ends_it_and_the_label_starts_it_again(stage: System) -> None:
    first = stage.start("Begin twice", "Please.")
    stage.wait_for_row(first, lambda row: "base_sha" in row)
    stage.unlabel(first.issue_number)

    assert stage.wait_for_end(first) == "SUCCEEDED"
    ended = stage.row(first.id)
    assert "removed from the issue" in ended["end_reason"]
    stage.label(first.issue_number)
    wait_for(lambda: stage.executions_of(first.issue_number), lambda names: len(names) == 2)
    second = stage.session_of(first.issue_number)
    row = stage.wait_for_row(second, lambda row: row.get("turns") == "1")
    assert (ended["branch"], first.id) == (row["branch"], row["previous_session_id"])
    assert stage.visitor(second).fetch().status == 200


def test_a_session_that_nobody_uses_is_warned_of_and_then_ended(stage: System) -> None:
    session = running(stage)
    stage.wait_for_row(session, lambda row: row.get("turns") == "1")
    stage.write(session, created_at=_ago(hours=3), last_active_at=_ago(minutes=51))
    stage.reconcile()

    assert "It stops at" in stage.wait_for_status(session, "[!WARNING]")
    assert stage.row(session.id)["status"] == "RUNNING"
    stage.write(session, last_active_at=_ago(minutes=61), idle_ends_at=_ago(minutes=1))
    stage.reconcile()
    is_over(stage, session, "STOPPED", "60 minutes")


def test_a_visit_or_a_comment_keeps_a_session_alive(stage: System) -> None:
    session = running(stage)
    stage.wait_for_row(session, lambda row: row.get("turns") == "1")
    stage.write(session, created_at=_ago(hours=3), last_active_at=_ago(minutes=51))
    stage.reconcile()
    stage.wait_for_row(session, lambda row: "idle_ends_at" in row)

    assert stage.visitor(session).fetch().status == 200
    stage.wait_for_row(session, lambda row: "last_visited_at" in row, 30)
    stage.reconcile()
    stage.wait_for_row(session, lambda row: "idle_ends_at" not in row)
    stage.write(session, last_active_at=_ago(minutes=55), last_visited_at=_ago(minutes=55))
    stage.reconcile()
    stage.wait_for_row(session, lambda row: "idle_ends_at" in row)
    stage.comment(stage.row(session.id)["pull_number"], "Still here")
    stage.wait_for_row(session, lambda row: "idle_ends_at" not in row)
    assert stage.row(session.id)["status"] == "RUNNING"


def test_a_session_without_budget_left_ends_with_its_answer_given(stage: System) -> None:
    session = running(stage)
    row = stage.wait_for_row(session, lambda row: row.get("turns") == "1")
    table = stage.client("dynamodb")
    table.update_item(
        TableName=stage.installation.outputs["SessionsTable"],
        Key={"pk": {"S": f"SESSION#{session.id}"}, "sk": {"S": "SESSION"}},
        UpdateExpression="SET max_turns = :two",
        ExpressionAttributeValues={":two": {"N": "2"}},
    )
    stage.comment(row["pull_number"], "The last prompt")

    is_over(stage, session, "STOPPED", "limit of 2 turns is used up")
    stage.wait_for_comment(row["pull_number"], "Done: The last prompt")


@pytest.mark.parametrize("state", ["STARTING", "RUNNING"])
def test_a_task_that_stops_fails_its_session(stage: System, state: str) -> None:
    session = STATES[state](stage)
    (task,) = stage.running_tasks(session)
    stage.client("ecs").stop_task(cluster=stage.installation.outputs["ClusterArn"], task=task, reason="pulled the plug")
    is_over(stage, session, "FAILED", "The agent's container stopped")


def test_an_agent_that_crashes_fails_its_session_and_what_it_was_asked_is_not_lost(stage: System) -> None:
    session = running(stage, "Begin.")
    row = stage.wait_for_row(session, lambda row: row.get("turns") == "1")
    stage.comment(row["pull_number"], "agent: crash")

    is_over(stage, session, "FAILED", "The agent's container stopped")
    assert "exit code 3" in stage.wait_for_comment(row["pull_number"], "exit code 3")


def test_an_agent_that_falls_silent_fails_its_session(stage: System) -> None:
    """At its start or later; both at once, for it takes the whole heartbeat timeout."""
    silent = [
        stage.start("MUTE-1 Say nothing while starting", "Please."),
        stage.start("Say nothing later", "agent: silent"),
    ]
    for session in silent:
        is_over(stage, session, "FAILED", "The agent's container stopped responding")


def _ago(**parts: float) -> str:
    return (datetime.now(UTC) - timedelta(**parts)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""What an outage or a hand has torn apart, the reconciler repairs: deliveries, executions, rows, slots and tasks."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.system import Session, System

KEYS = itertools.count(1000)  # of a tracker: a key, and so a branch, belongs to one issue for good
NOWHERE = "http://127.0.0.1:9/webhook"  # the port of a service that discards; nothing listens there
# The reconciler's own duties, by a clock that is minutes ahead: what is young now is old enough for it.
AHEAD = """
import json, sys
from datetime import UTC, datetime, timedelta
from cloud_agent.reconciler.handler import DUTIES
from cloud_agent.settings import ReconcilerSettings, load
from cloud_agent.reconciler.reconciliation import Reconciliation
run = Reconciliation(load(ReconcilerSettings), datetime.now(UTC) + timedelta(minutes=int(sys.argv[1])), lambda: 60_000)
for duty in DUTIES:
    duty(run)
print(json.dumps(run.done), file=sys.stderr)
"""


def reconciliation_later(stage: System, minutes: int) -> dict[str, int]:
    """Reconciliation as the deployed function would so many minutes from now; returns what was done."""
    client = stage.client("lambda")
    functions = [f for page in client.get_paginator("list_functions").paginate() for f in page["Functions"]]
    (function,) = [f for f in functions if "ReconcilerFunction" in f["FunctionName"]]
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": stage.installation.aws_endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **function["Environment"]["Variables"],
    }
    argv = [sys.executable, "-c", AHEAD, str(minutes)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stderr.splitlines()[-1]))


def running(stage: System) -> Session:
    """A session that is supervised and has answered its issue."""
    session = stage.start("Run", "Please.")
    stage.wait_for_row(session, lambda row: "lifecycle_token" in row and row.get("turns") == "1")
    return session


def starting(stage: System) -> Session:
    """A session whose agent is not ready yet and will not be."""
    session = stage.start(f"SLOW-{next(KEYS)} Take your time", "Please.")
    stage.wait_for_row(session, lambda row: row.get("status") == "STARTING" and "start_token" in row)
    return session


def queued(stage: System) -> Session:
    """A session without a slot: others hold them all."""
    others = [stage.start(f"SLOW-{next(KEYS)} Hold a slot", "Please.") for _ in range(3)]
    for other in others:
        stage.wait_for_row(other, lambda row: row.get("status") == "STARTING")
    session = stage.start("Wait", "Please.")
    stage.wait_for_row(session, lambda row: "start_token" in row)
    return session


# ------------------------------------------------------------ Lost deliveries


@contextmanager
def outage(stage: System) -> Iterator[None]:
    """No delivery reaches the webhook until the block is left."""
    address = stage.github.call("GET", "/app/hook/config", as_app=True)["url"]
    stage.github.call("PATCH", "/app/hook/config", {"url": NOWHERE}, as_app=True)
    try:
        yield
    finally:
        stage.github.call("PATCH", "/app/hook/config", {"url": address}, as_app=True)


def attempts(stage: System, event: str, before: set[int], *, arrived: bool) -> list[dict[str, Any]]:
    """The deliveries of this event since then that ended that way; our own comments fire it, too."""
    new = [delivery for delivery in stage.deliveries() if delivery["id"] not in before]
    return [d for d in new if (event, arrived) == (f"{d['event']}.{d['action']}", 200 <= d["status_code"] < 300)]


@contextmanager
def lost(stage: System, event: str) -> Iterator[None]:
    """What people do in the block is lost on its way; then the reconciler has it sent again, but not at once."""
    before = {delivery["id"] for delivery in stage.deliveries()}
    with outage(stage):
        yield
        wait_for(lambda: attempts(stage, event, before, arrived=False), bool, 30)
    missing = {delivery["guid"] for delivery in attempts(stage, event, before, arrived=False)}
    assert "DeliveryRepeated" not in stage.reconcile(), "the webhook may be about to come back: a minute is waited"
    assert reconciliation_later(stage, minutes=2)["DeliveryRepeated"] >= 1
    again = wait_for(
        lambda: [d for d in attempts(stage, event, before, arrived=True) if d["guid"] in missing],
        lambda found: missing == {delivery["guid"] for delivery in found},
        30,
    )
    assert all(delivery["redelivery"] for delivery in again)


def test_a_label_that_was_lost_starts_its_session_once(stage: System) -> None:
    issue = stage.open_issue("Lost and found", "Please.")
    with lost(stage, "issues.labeled"):
        stage.label(issue)
    session = stage.session_of(issue)
    stage.wait_for_row(session, lambda row: row.get("status") == "RUNNING")
    reconciliation_later(stage, minutes=15)
    assert len(stage.executions_of(issue)) == 1


def test_a_comment_that_was_lost_is_answered_once(stage: System) -> None:
    session = running(stage)
    pull = stage.row(session.id)["pull_number"]
    with lost(stage, "issue_comment.created"):
        stage.comment(pull, "Lost and found")
    stage.wait_for_comment(pull, "Done: Lost and found")
    reconciliation_later(stage, minutes=15)
    stage.comment(pull, "And the next")
    stage.wait_for_comment(pull, "Done: And the next")
    assert stage.wait_for_comment(pull, "Done: Lost and found")


def test_a_close_that_was_lost_ends_its_session(stage: System) -> None:
    session = running(stage)
    pull = stage.row(session.id)["pull_number"]
    with lost(stage, "pull_request.closed"):
        stage.github.call("PATCH", f"/repos/{stage.repository}/pulls/{pull}", {"state": "closed"})
    assert stage.wait_for_end(session) == "SUCCEEDED"
    row = stage.wait_until_over(session)
    assert (row["status"], row["end_reason"]) == ("STOPPED", "The pull request was closed.")


def test_a_label_that_met_a_github_at_fault_starts_its_session_later(stage: System) -> None:
    """The webhook cannot ask who labelled: it answers 503, and the delivery is sent once more."""
    system = stage.at(stage.create_repository(f"postponed-{next(KEYS)}-{os.getpid()}", {"README.md": "# Later\n"}))
    issue = system.open_issue("Later", "Please.")
    before = {delivery["id"] for delivery in stage.deliveries()}
    path = f"/repos/{system.repository}/collaborators/.*"
    with stage.faults({"kind": "status", "status": 502, "path": path, "actor": "app", "count": 10}):
        system.label(issue)
        refused = wait_for(lambda: attempts(stage, "issues.labeled", before, arrived=False), bool, 30)[0]
    assert refused["status_code"] == 503
    answer = json.loads(stage.delivery(refused["id"])["response"]["payload"])
    assert "GitHub answered 502" in answer["message"]
    assert answer["message"].endswith("Redeliver this later.")

    reconciliation_later(stage, minutes=2)

    system.wait_for_row(system.session_of(issue), lambda row: row.get("status") == "RUNNING")


# ------------------------------------------------------------ What belongs together and is torn apart


@pytest.mark.parametrize("begin", [queued, starting, running], ids=lambda begin: begin.__name__)
def test_an_execution_aborted_by_hand_is_told_of_and_leaves_nothing_behind(stage: System, begin: Any) -> None:  # noqa: ANN401 - one of three functions
    session = begin(stage)
    stage.executions.client.stop_execution(executionArn=session.execution_arn, cause="by hand")
    assert "SessionClosed" not in stage.reconcile(), "what has just begun is given time"
    stage.write(session, created_at=(datetime.now(UTC) - timedelta(minutes=5)).isoformat())

    stage.reconcile()

    row = stage.wait_until_over(session)
    reason = "The workflow that runs this session stopped unexpectedly (ABORTED)."
    assert ("FAILED", reason) == (row["status"], row["end_reason"])
    said = stage.wait_for_status(session, "❌ Failed").replace("\\", "")
    assert reason in said
    assert "comment `/restart`" in said
    assert f"#/v2/executions/details/{session.execution_arn})" in said
    path = f"/repos/{stage.repository}/deployments"
    (deployment,) = stage.github.call("GET", f"{path}?environment=uat/pr-{row['pull_number']}")
    assert stage.github.call("GET", f"{path}/{deployment['id']}/statuses")[0]["state"] == "error"


def test_an_aborted_session_can_be_restarted_by_a_comment(stage: System) -> None:
    session = running(stage)
    stage.executions.client.stop_execution(executionArn=session.execution_arn)
    stage.write(session, created_at=(datetime.now(UTC) - timedelta(minutes=5)).isoformat())
    stage.reconcile()
    pull = stage.wait_until_over(session)["pull_number"]

    stage.comment(pull, "/restart\nGo on")

    stage.wait_for_comment(pull, "Done: Go on")


def test_a_row_deleted_by_hand_frees_its_slot_and_stops_its_task(stage: System) -> None:
    session = running(stage)
    key = {"pk": {"S": f"SESSION#{session.id}"}, "sk": {"S": "SESSION"}}
    stage.executions.client.stop_execution(executionArn=session.execution_arn)
    stage.client("dynamodb").delete_item(TableName=stage.installation.outputs["SessionsTable"], Key=key)

    reconciliation_later(stage, minutes=3)

    assert session.id not in stage.slots()[0]
    wait_for(lambda: stage.running_tasks(session), lambda tasks: tasks == [], 20)


def test_a_task_without_a_row_is_stopped_and_one_with_a_row_is_not(stage: System) -> None:
    session = running(stage)
    (kept,) = stage.running_tasks(session)
    ecs = stage.client("ecs")
    cluster = stage.installation.outputs["ClusterArn"]
    described = ecs.describe_tasks(cluster=cluster, tasks=[kept])["tasks"][0]
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    stray = ecs.run_task(
        cluster=cluster,
        taskDefinition=described["taskDefinitionArn"],
        launchType="FARGATE",
        group="session:0badf00d",
        networkConfiguration=network,
        overrides={"containerOverrides": [{"name": "agent", "environment": mute(described)}]},
    )["tasks"][0]["taskArn"]
    wait_for(lambda: status_of(stage, stray), lambda status: status == "RUNNING", 20)

    assert "TaskStopped" not in stage.reconcile(), "its row may just be being written"
    done = reconciliation_later(stage, minutes=3)

    assert done["TaskStopped"] == 1, done
    wait_for(lambda: status_of(stage, stray), lambda status: status == "STOPPED", 20)
    assert [kept] == stage.running_tasks(session)
    assert stage.row(session.id)["status"] == "RUNNING"


def mute(task: dict[str, Any]) -> list[dict[str, str]]:
    """A session's variables, for an agent that does nothing but live."""
    (override,) = task["overrides"]["containerOverrides"]
    return [one if one["name"] != "BRANCH" else {"name": "BRANCH", "value": "mute"} for one in override["environment"]]


def status_of(stage: System, task: str) -> str:
    """How ECS says that the task is."""
    cluster = stage.installation.outputs["ClusterArn"]
    return str(stage.client("ecs").describe_tasks(cluster=cluster, tasks=[task])["tasks"][0]["lastStatus"])

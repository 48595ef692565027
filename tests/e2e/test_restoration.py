"""The sessions table loses its rows and is restored by the commands of docs/lifecycle.md."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.system import wait_for

from cloud_agent_local.deployment import STACK
from cloud_agent_local.installation import aws_environment

if TYPE_CHECKING:
    from tests.e2e.system import Session, System

CLOUD_AGENT = Path(sys.executable).parent / "cloud-agent"


def answered(stage: System, body: str) -> Session:
    """A running session that has answered its issue."""
    session = stage.start("Restore me", body)
    row = stage.wait_for_row(session, lambda row: "lifecycle_token" in row and row.get("turns") == "1")
    stage.wait_for_comment(row["pull_number"], f"Done: {body}")
    return session


def lose_everything(stage: System, table: str) -> None:
    """Delete every row."""
    dynamodb = stage.client("dynamodb")
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for row in page["Items"]:
            dynamodb.delete_item(TableName=table, Key={name: row[name] for name in ("pk", "sk")})


def test_a_table_that_has_lost_its_rows_is_restored_and_its_sessions_are_known_again(stage: System) -> None:
    ended, running = answered(stage, "Once."), answered(stage, "Twice.")
    pulls = [stage.row(session.id)["pull_number"] for session in (ended, running)]
    stage.comment(pulls[0], "/stop")
    stage.wait_until_over(ended)
    table, webhook = stage.installation.outputs["SessionsTable"], stage.physical_id("WebhookFunction")
    restored, branch = f"{table}-restored", stage.row(running.id)["branch"]
    dynamodb, functions = stage.client("dynamodb"), stage.client("lambda")
    said = len(stage.comments(int(pulls[0])))

    # The embedded DynamoDB restores a table as it is now, whatever the time: so the copy is made before the loss.
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=restored, RestoreDateTime=datetime.now(UTC)
    )
    dynamodb.get_waiter("table_exists").wait(TableName=restored)
    functions.put_function_concurrency(FunctionName=webhook, ReservedConcurrentExecutions=0)
    lose_everything(stage, table)
    wait_for(lambda: stage.running_tasks(running), lambda tasks: tasks == [], 30)
    status = stage.deliver("ping", {}).status_code
    assert status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR  # both are sent again
    done = subprocess.run(
        [CLOUD_AGENT, "restore", restored, "--stack", STACK],
        env=aws_environment(stage.installation.aws_endpoint),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    functions.delete_function_concurrency(FunctionName=webhook)
    dynamodb.delete_table(TableName=restored)

    stage.reconcile()
    row = stage.wait_until_over(running)
    assert (row["status"], row["branch"]) == ("FAILED", branch)
    stage.comment(pulls[1], "/restart\nGo on.")
    following = wait_for(lambda: stage.session_of(running.issue_number), lambda found: found.id != running.id, 30)
    row = stage.wait_for_row(following, lambda row: row.get("status") == "RUNNING")
    assert (row["branch"], row["pull_number"], row["previous_session_id"]) == (branch, pulls[1], running.id)
    stage.wait_for_comment(pulls[1], "Done: Go on.")
    assert len(stage.executions_of(running.issue_number)) == 2
    assert len(stage.comments(int(pulls[0]))) == said  # replies are not posted again

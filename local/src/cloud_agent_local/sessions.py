"""The sessions of a running system: their rows, the queue, their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key
from cloud_agent.domain.session.session import LIVE
from cloud_agent_local.deployment import client

if TYPE_CHECKING:
    from cloud_agent_local.installation import Installation


def sessions(installation: Installation) -> list[dict[str, str]]:
    """Return the rows of issues' sessions, newest first, as plain text: the canary is none."""
    pages, any_session = client(installation, "dynamodb").get_paginator("scan"), session_key("")
    items = [
        {name: str(next(iter(value.values()))) for name, value in item.items()}
        for page in pages.paginate(TableName=installation.outputs["SessionsTable"])
        for item in page["Items"]
        if item["sk"]["S"] == any_session["sk"]
        and item["pk"]["S"].startswith(any_session["pk"])
        and "issue_number" in item
    ]
    return sorted(items, key=lambda item: item["created_at"], reverse=True)


def live_sessions(installation: Installation) -> list[dict[str, str]]:
    """Return the rows of those that have not ended."""
    return [row for row in sessions(installation) if row["status"] in LIVE]


def queue(installation: Installation) -> list[str]:
    """Return the ids of the sessions that wait for a slot, in the order in which they came."""
    response = client(installation, "dynamodb").get_item(
        TableName=installation.outputs["SessionsTable"],
        Key={name: {"S": value} for name, value in SLOTS_KEY.items()},
    )
    waiting = response.get("Item", {}).get("waiting", {}).get("M", {})
    return sorted(waiting, key=lambda session_id: (waiting[session_id]["M"]["since"]["S"], session_id))


def task_ids(installation: Installation, session_id: str) -> set[str]:
    """Return the id of a session's task, if ECS has reported one."""
    arns = [row["task_arn"] for row in sessions(installation) if row["session_id"] == session_id and "task_arn" in row]
    return {arn.rpartition("/")[2] for arn in arns}

"""`cloud-agent local status`: what runs, where, and the sessions of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from cloud_agent_cli.terminal import console
from cloud_agent_local.deployment import client, webhook_secret
from cloud_agent_local.github_client import Credentials
from cloud_agent_local.parts import is_running
from cloud_agent_local.up import webhook_url

if TYPE_CHECKING:
    from cloud_agent_local.installation import Installation

_ACTIVITIES = {
    "turn_started": "thinking",
    "turn_finished": "waiting for a comment",
    "turn_failed": "waiting for a comment",
}


def as_document(installation: Installation) -> dict[str, Any]:
    """Return the names that other programs rely on, and each part's state."""
    return {
        "aws_endpoint": installation.aws_endpoint,
        "github_url": installation.github_url,
        "github_api_url": installation.github_api_url,
        "github_token": Credentials.read(installation.github_dir).token,
        "repository": installation.repository,
        "webhook_url": webhook_url(installation),
        "webhook_secret": webhook_secret(installation),
        "proxy_url": installation.proxy_url,
        "uat_domain": installation.uat_domain,
        "state_machine_arn": installation.outputs["StateMachineArn"],
        "sessions_table": installation.outputs["SessionsTable"],
        "cluster": installation.outputs["ClusterArn"],
        "log_dir": str(installation.log_dir),
        "parts": {part.name: "running" if is_running(part) else "stopped" for part in installation.parts},
    }


def show(installation: Installation) -> None:
    """Show the same to a person, without the secrets."""
    for part in installation.parts:
        console.print(f"  {'[green]✓[/green]' if is_running(part) else '[red]✗[/red]'} {part.name} (pid {part.pid})")
    console.print(f"\n  Repository  {installation.github_url}/{installation.repository}")
    console.print(f"  AWS         {installation.aws_endpoint} (any credentials, region us-east-1)")
    console.print(f"  Sessions    http://<session>.{installation.uat_domain}:{installation.ports.proxy}")
    console.print(f"  Logs        {installation.log_dir}\n")
    whole = [Column(name, no_wrap=True) for name in ("Session", "Status", "Issue", "Turns", "Cost")]
    table = Table(*whole, "", box=None, header_style="bold")
    queue = _queue(installation)
    for row in sessions(installation):
        issue, cost = f"{row['repo']}#{row['issue_number']}", f"${float(row.get('cost_usd', 0)):.2f}"
        words = Text(standing(row, queue))  # a reason is data, not markup
        table.add_row(row["session_id"], row["status"], issue, row.get("turns", "0"), cost, words)
    console.print(table if table.row_count else "  No session yet: label an issue claude-dev.")


def standing(row: dict[str, str], queue: list[str]) -> str:
    """Return what is to be said of a session beside its status."""
    session_id = row["session_id"]
    if row["status"] == "QUEUED" and session_id in queue:
        return f"place {queue.index(session_id) + 1} of {len(queue)}"
    activity = row.get("activity", "")
    return row.get("end_reason") or _ACTIVITIES.get(activity, activity)


def _queue(installation: Installation) -> list[str]:
    """Return the ids of the sessions that wait for a slot, in the order in which they came."""
    answer = client(installation, "dynamodb").get_item(
        TableName=installation.outputs["SessionsTable"], Key={"pk": {"S": "SLOTS"}, "sk": {"S": "SLOTS"}}
    )
    waiting = answer.get("Item", {}).get("waiting", {}).get("M", {})
    return sorted(waiting, key=lambda session_id: (waiting[session_id]["M"]["since"]["S"], session_id))


def sessions(installation: Installation) -> list[dict[str, str]]:
    """Return the rows of issues' sessions, newest first, as plain text: the canary is none."""
    pages = client(installation, "dynamodb").get_paginator("scan")
    items = [
        {name: str(next(iter(value.values()))) for name, value in item.items()}
        for page in pages.paginate(TableName=installation.outputs["SessionsTable"])
        for item in page["Items"]
        if item["sk"]["S"] == "SESSION" and item["pk"]["S"].startswith("SESSION#") and "issue_number" in item
    ]
    return sorted(items, key=lambda item: item["created_at"], reverse=True)

"""`cloud-agent local status`: what runs, where, and the sessions of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from cloud_agent_local.deployment import client, webhook_secret
from cloud_agent_local.github_client import Credentials
from cloud_agent_local.parts import is_running
from cloud_agent_local.progress import console
from cloud_agent_local.up import webhook_url

if TYPE_CHECKING:
    from cloud_agent_local.installation import Installation


def as_document(installation: Installation) -> dict[str, Any]:
    """The names that other programs rely on, and each part's state."""
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
    """The same for a person, without the secrets."""
    for part in installation.parts:
        console.print(f"  {'[green]✓[/green]' if is_running(part) else '[red]✗[/red]'} {part.name} (pid {part.pid})")
    console.print(f"\n  Repository  {installation.github_url}/{installation.repository}")
    console.print(f"  AWS         {installation.aws_endpoint} (any credentials, region us-east-1)")
    console.print(f"  Logs        {installation.log_dir}\n")
    table = Table("Session", "Status", "Issue", "Branch", "URL", "Turns", box=None, header_style="bold")
    for row in sessions(installation):
        url = f"http://{row['session_id']}.{installation.uat_domain}:{installation.ports.proxy}"
        issue = f"{row['repo']}#{row['issue_number']}"
        table.add_row(row["session_id"], row["status"], issue, row["branch"], url, str(row.get("turns", 0)))
    console.print(table if table.row_count else "  No session yet: label an issue claude-dev.")


def sessions(installation: Installation) -> list[dict[str, str]]:
    """The sessions' rows, newest first, as plain text."""
    pages = client(installation, "dynamodb").get_paginator("scan")
    items = [
        {name: str(next(iter(value.values()))) for name, value in item.items()}
        for page in pages.paginate(TableName=installation.outputs["SessionsTable"])
        for item in page["Items"]
        if item["sk"]["S"] == "SESSION" and item["pk"]["S"].startswith("SESSION#")
    ]
    return sorted(items, key=lambda item: item["created_at"], reverse=True)

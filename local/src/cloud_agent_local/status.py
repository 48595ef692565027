"""`cloud-agent local status`: what runs, where, and the sessions of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent.domain.session.session import LIVE
from cloud_agent_cli.terminal import console
from cloud_agent_local.deployment import webhook_secret
from cloud_agent_local.github_client import Credentials, GitHubClient
from cloud_agent_local.installation import AWS_PART, GITHUB_PART
from cloud_agent_local.parts import is_running
from cloud_agent_local.session_on_github import SessionOnGitHub
from cloud_agent_local.sessions import queue, sessions
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
        "webhook_secret": webhook_secret(installation) if _runs(installation, AWS_PART) else None,
        "proxy_url": installation.proxy_url,
        "uat_domain": installation.uat_domain,
        "state_machine_arn": installation.outputs["StateMachineArn"],
        "sessions_table": installation.outputs["SessionsTable"],
        "cluster": installation.outputs["ClusterArn"],
        "log_dir": str(installation.log_dir),
        "sessions": [_session(installation, row) for row in _rows(installation)],
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
    rows = _rows(installation)
    waiting = queue(installation) if rows else []
    for row in rows:
        _show_session(_session(installation, row), standing(row, waiting))
    if not rows:
        console.print("  No session yet: label an issue claude-dev.")


def _show_session(session: dict[str, Any], words: str) -> None:
    """Print a session in lines that no width of the terminal breaks up."""
    issue = f"{session['repository']}#{session['issue_number']}"
    facts = [
        session["session_id"],
        session["status"],
        issue,
        f"{session['turns']} turns",
        f"${session['cost_usd']:.2f}",
    ]
    console.print("  " + "  ".join(facts), style="bold", markup=False)
    for name, value in (("", words), ("Pull request", session["pull_request_url"]), ("Open", session["link"])):
        if value:
            console.print(f"    {name:<14}{value}" if name else f"    {value}", markup=False)


def _session(installation: Installation, row: dict[str, str]) -> dict[str, Any]:
    """Return a session as other programs read it. `link` opens it, for as long as it is live."""
    link = None
    if row["status"] in LIVE and "pull_number" in row and _runs(installation, GITHUB_PART):
        link = SessionOnGitHub(installation, GitHubClient(installation), row["session_id"]).current_link()
    return {
        "session_id": row["session_id"],
        "status": row["status"],
        "repository": row["repo"],
        "issue_number": int(row["issue_number"]),
        "branch": row["branch"],
        "pull_request_url": row.get("pull_url"),
        "link": link,
        "turns": int(row.get("turns", 0)),
        "cost_usd": float(row.get("cost_usd", 0)),
        "activity": row.get("activity", ""),
        "created_at": row["created_at"],
        "ended_at": row.get("ended_at"),
        "end_reason": row.get("end_reason"),
    }


def _rows(installation: Installation) -> list[dict[str, str]]:
    """Return the rows of sessions, none while the embedded AWS, which has the table, is not running."""
    return sessions(installation) if _runs(installation, AWS_PART) else []


def _runs(installation: Installation, name: str) -> bool:
    return any(part.name == name and is_running(part) for part in installation.parts)


def standing(row: dict[str, str], waiting: list[str]) -> str:
    """Return what is to be said of a session beside its status."""
    session_id = row["session_id"]
    if row["status"] == "QUEUED" and session_id in waiting:
        return f"place {waiting.index(session_id) + 1} of {len(waiting)}"
    activity = row.get("activity", "")
    return row.get("end_reason") or _ACTIVITIES.get(activity, activity)

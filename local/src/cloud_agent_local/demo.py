"""`cloud-agent demo`: an issue, a label, a comment with a URL, and behind it the page that Claude changed."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rich.markdown import Markdown
from rich.panel import Panel

from cloud_agent_local import sample
from cloud_agent_local import up as lifecycle
from cloud_agent_local.errors import DemoError
from cloud_agent_local.executions import Executions
from cloud_agent_local.github_client import GitHubClient
from cloud_agent_local.installation import Installation
from cloud_agent_local.progress import console
from cloud_agent_local.status import sessions
from cloud_agent_local.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_local.installation import Ports

GREETING = "Hello from Claude, lunch is served"
ISSUE = {
    "title": "Greet the team on the lunch board",
    "body": f'Please change the greeting on the front page to "{GREETING}".\n\nThe tests should pass afterwards.',
}
START_SECONDS = 30.0
ANNOUNCED_SECONDS = 180.0
CHANGED_SECONDS = 900.0  # a real model takes minutes; the scripted one takes seconds
POLL_SECONDS = 0.1


def run(state_dir: Path, ports: Ports) -> None:
    """Bring the system up, show the main job, check each part of it; then tear down, at once or on Ctrl-C.

    Raises:
        LocalModeError: something is not so; everything is stopped.
    """
    console.print("[bold]Starting the system on this machine[/bold]")
    earlier = Installation.load(state_dir)
    if earlier is not None:
        lifecycle.down(earlier)
    installation = lifecycle.up(state_dir, ports)
    try:
        session_url = show(installation)
        if sys.stdin.isatty():
            _stay(installation, session_url)
    finally:
        lifecycle.down(installation)
        console.print("Stopped.")


def show(installation: Installation) -> str:
    """The main job on a running system, each part checked; returns the session's URL.

    Raises:
        DemoError: names the part that is not so.
    """
    github, executions = GitHubClient(installation), Executions(installation)
    issue = github.call("POST", f"/repos/{installation.repository}/issues", ISSUE)
    console.print(f"\n[bold]Issue #{issue['number']}[/bold] {issue['title']}\n  {issue['html_url']}")
    started = time.monotonic()
    github.call("POST", f"/repos/{installation.repository}/issues/{issue['number']}/labels", {"labels": [sample.LABEL]})
    console.print(f"  labelled {sample.LABEL}\n\n[bold]Workflow[/bold]")
    execution = executions.find(issue["number"], START_SECONDS)
    console.print(f"  execution {execution.rpartition(':')[2]}")
    session_id = execution.rpartition("-")[2]
    visitor = Visitor(installation, session_id)
    before = None
    for state in executions.follow(execution, "Supervise Session", ANNOUNCED_SECONDS):
        console.print(f"  {state.seconds:6.1f} s  {state.name}")
        if state.name == "Announce Session":
            before = visitor.wait_for("", START_SECONDS)  # before Claude has changed anything
    comment = _comment(github, installation, session_id)
    elapsed = time.monotonic() - started
    console.print(f"\n[bold]Pull request[/bold] {comment['html_url']}")
    console.print(Panel(Markdown(comment["body"].partition("-->")[2]), width=96), soft_wrap=False)
    console.print(f"[bold]Session[/bold] {visitor.url} — {elapsed:.1f} s after the label")
    if before is None or GREETING in before.text:
        raise DemoError("The page was not seen before Claude changed it.")
    console.print(f"  before Claude's commit: {before.heading!r}")
    after = visitor.wait_for(GREETING, CHANGED_SECONDS)
    console.print(f"  now:                    {after.heading!r}")
    _check_pull_request(github, installation, issue["number"], visitor.url)
    return visitor.url


def _comment(github: GitHubClient, installation: Installation, session_id: str) -> dict[str, Any]:
    """The one comment that carries the session's URL."""
    row = _row(installation, session_id)
    path = f"/repos/{installation.repository}/issues/{row['pull_number']}/comments"
    comments = [c for c in github.call("GET", path) if f"//{session_id}." in c["body"]]
    if len(comments) != 1:
        raise DemoError(f"The pull request has {len(comments)} comments with the session's URL, not one.")
    return dict(comments[0])


def _check_pull_request(github: GitHubClient, installation: Installation, issue_number: int, url: str) -> None:
    """What must be so on GitHub once Claude's first turn is over."""
    session_id = url.partition("//")[2].partition(".")[0]
    _wait_for_turn(installation, session_id)
    row = _row(installation, session_id)
    pull = github.call("GET", f"/repos/{installation.repository}/pulls/{row['pull_number']}")
    if not pull["draft"] or pull["head"]["ref"] != row["branch"]:
        raise DemoError(f"Pull request #{pull['number']} is not a draft of {row['branch']}.")
    commits = github.call("GET", f"/repos/{installation.repository}/pulls/{pull['number']}/commits")
    messages = [commit["commit"]["message"].splitlines()[0] for commit in commits]
    if len(messages) < 2:  # noqa: PLR2004 - the initial commit and Claude's
        raise DemoError(f"Claude's commit is not on pull request #{pull['number']}: it has {messages}.")
    if pull["head"]["sha"] != row.get("reported_head_sha"):
        raise DemoError(
            f"The agent reported {row.get('reported_head_sha')} as pushed; GitHub has {pull['head']['sha']}."
        )
    console.print(f"\n[bold]Pushed[/bold] to {row['branch']} for issue #{issue_number}")
    for commit in commits:
        console.print(f"  {commit['sha'][:7]} {commit['commit']['message'].splitlines()[0]}", markup=False)
    console.print(f"  {row['turns']} turns, ${float(row['cost_usd']):.4f}")


def _wait_for_turn(installation: Installation, session_id: str) -> None:
    deadline = time.monotonic() + CHANGED_SECONDS
    while time.monotonic() < deadline:
        if (activity := _row(installation, session_id).get("activity")) == "turn_finished":
            return
        if activity == "turn_failed":
            raise DemoError(f"Claude's turn failed: {_row(installation, session_id).get('last_result')}")
        time.sleep(POLL_SECONDS)
    raise DemoError(f"Claude's turn was not over within {CHANGED_SECONDS:.0f} s.")


def _row(installation: Installation, session_id: str) -> dict[str, str]:
    for row in sessions(installation):
        if row["session_id"] == session_id:
            return row
    raise DemoError(f"The sessions table has no row for {session_id}.")


def _stay(installation: Installation, session_url: str) -> None:
    console.print(f"\nOpen [bold]{session_url}[/bold] in a browser, and the repository at")
    console.print(f"{installation.github_url}/{installation.repository} to label an issue of your own.")
    console.print("Ctrl-C stops everything.")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nStopping …")

"""`cloud-agent demo`: an issue, a label, a live URL; the page that Claude changed, and changed again on a comment."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING

import httpx
from rich.markdown import Markdown
from rich.panel import Panel

from cloud_agent_cli.terminal import console
from cloud_agent_local import sample
from cloud_agent_local import up as lifecycle
from cloud_agent_local.ending import end_sessions
from cloud_agent_local.errors import DemoError
from cloud_agent_local.executions import Executions
from cloud_agent_local.github_client import GitHubClient
from cloud_agent_local.installation import Installation, Ports
from cloud_agent_local.parts import a_free_port, is_free
from cloud_agent_local.session_on_github import SessionOnGitHub
from cloud_agent_local.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GREETING = "Hello from Claude, lunch is served"
ISSUE = {
    "title": "Greet the team on the lunch board",
    "body": f'Please change the greeting on the front page to "{GREETING}".\n\nThe tests should pass afterwards.',
}
SECOND_GREETING = "Dinner is served, too"
COMMENT = f'Lovely! Please change the greeting to "{SECOND_GREETING}".'
PANEL_COLUMNS = 96
START_SECONDS = 30.0
ANNOUNCED_SECONDS = 180.0
CHANGED_SECONDS = 900.0  # a real model takes minutes; the scripted one takes seconds
TOLD_SECONDS = 30.0  # what is known already is told on GitHub
_HIDDEN = re.compile(r"<!--.*?-->|</?sub>")


def run(state_dir: Path, ports: Mapping[str, int], *, containers: bool = False) -> None:
    """Bring the system up, show the main job, check each part of it; then tear down, at once or on Ctrl-C.

    Raises:
        LocalModeError: something is not so; everything is stopped.
    """
    console.print("[bold]Starting the system on this machine[/bold]")
    installation = None
    try:
        installation = lifecycle.up(state_dir, free_ports(ports), containers=containers)
        link = show(installation)
        if sys.stdin.isatty():
            _stay(installation, link)
    except DemoError as error:
        raise DemoError(
            f"{error}\nIf an earlier run left the sample repository changed, start over with: cloud-agent demo --fresh"
        ) from error
    finally:
        if installation is not None:
            _stop(installation)
        console.print("Stopped; nothing is running.")


def free_ports(given: Mapping[str, int]) -> Ports:
    """Return the given ports, and of the others the defaults, or free ones where a default is in use."""
    chosen = dict(given)
    for name, default in Ports().model_dump().items():
        if name not in chosen:
            chosen[name] = default if is_free(default) else a_free_port()
            if chosen[name] != default:
                console.print(f"  Port {default} is in use; {chosen[name]} takes its place (--{name}-port).")
    return Ports(**chosen)


def _stop(installation: Installation) -> None:
    try:
        end_sessions(installation)
    finally:
        lifecycle.down(installation)


def show(installation: Installation) -> str:
    """Run the main job on a running system and check each part; returns the link that opens the session.

    Raises:
        DemoError: names the part that is not so.
    """
    github = GitHubClient(installation)
    issue = github.call("POST", f"/repos/{installation.repository}/issues", ISSUE)
    console.print(f"\n[bold]Issue #{issue['number']}[/bold] {issue['title']}\n  {issue['html_url']}")
    started = time.monotonic()
    github.call("POST", f"/repos/{installation.repository}/issues/{issue['number']}/labels", {"labels": [sample.LABEL]})
    console.print(f"  labelled {sample.LABEL}")
    session, visitor, before = _follow_workflow(installation, github, issue["number"])
    status = session.status_comment(visitor.url, TOLD_SECONDS)
    console.print(f"\n[bold]Pull request[/bold] {session.pull_request()['html_url']}")
    _show_comment("The session's status, kept up to date in one comment", status["body"])
    console.print(f"[bold]Session[/bold] {visitor.url} — {time.monotonic() - started:.1f} s after the label")
    link = session.link(TOLD_SECONDS)
    console.print(f"  to be opened by the link in the comment: {link}")
    console.print(f"  the page before Claude's commit: {before!r}")
    console.print(f"  the page now:                    {visitor.wait_for(GREETING, CHANGED_SECONDS).heading!r}")
    _show_answer(session, issue["html_url"], CHANGED_SECONDS)
    _steer(session, visitor)
    _check_pull_request(session)
    if installation.model_is_scripted:
        console.print("  (what a real model would have cost: the scripted one is free)")
    return link


def _follow_workflow(
    installation: Installation, github: GitHubClient, issue_number: int
) -> tuple[SessionOnGitHub, Visitor, str]:
    """Print each state as it is entered, until the session is live; with the page's heading at that moment."""
    executions = Executions(installation)
    console.print("\n[bold]Workflow[/bold], each state as it is entered")
    execution = executions.find(issue_number, START_SECONDS)
    console.print(f"  execution {execution.rpartition(':')[2]}")
    session_id = execution.rpartition("-")[2]
    session, visitor = SessionOnGitHub(installation, github, session_id), Visitor(installation, session_id)
    before = None
    for state in executions.follow(execution, "Supervise Session", ANNOUNCED_SECONDS):
        console.print(f"  {state.seconds:6.1f} s  {state.name}")
        if state.name == "Announce Session":
            _enter(session, visitor)
            before = visitor.wait_for("", START_SECONDS)  # nothing is changed yet
    if before is None or GREETING in before.text:
        raise DemoError("The page was not seen before Claude changed it.")
    return session, visitor, before.heading


def _enter(session: SessionOnGitHub, visitor: Visitor) -> None:
    """By the link in the comment, as a person does; who only knows the session's URL is not shown its page."""
    page = visitor.fetch()
    if page.status != httpx.codes.UNAUTHORIZED:
        raise DemoError(f"{visitor.url} answered {page.status}, headed {page.heading!r}, to somebody without its link.")
    console.print(f"           without the link, the session's URL says {page.heading!r}")
    visitor.enter(session.link(TOLD_SECONDS))


def _steer(session: SessionOnGitHub, visitor: Visitor) -> None:
    """One comment more, as a reviewer writes it: the page follows, and Claude replies."""
    comment = session.comment(COMMENT)
    written = time.monotonic()
    console.print(f"\n[bold]A comment on the pull request[/bold] {comment['html_url']}")
    console.print(f"  {comment['user']['login']}: {COMMENT}", markup=False)
    page = visitor.wait_for(SECOND_GREETING, CHANGED_SECONDS)
    console.print(f"  the page now: {page.heading!r} — {time.monotonic() - written:.1f} s after the comment")
    _show_answer(session, comment["html_url"], CHANGED_SECONDS)


def _check_pull_request(session: SessionOnGitHub) -> None:
    """Check what must be so on GitHub once Claude has answered."""
    pull, row, commits = session.pull_request(), session.row(), session.commits()
    session.status_comment(commits[-1]["sha"], TOLD_SECONDS)  # the status is edited after the answer has been given
    status = session.status_comment("waiting for you", TOLD_SECONDS)
    if pull["draft"] or pull["head"]["ref"] != row["branch"]:
        raise DemoError(f"Pull request #{pull['number']} is not ready for review, or not of {row['branch']}.")
    if pull["head"]["sha"] != row.get("reported_head_sha"):
        raise DemoError(
            f"The agent reported {row.get('reported_head_sha')} as pushed; GitHub has {pull['head']['sha']}."
        )
    untold = [commit["sha"][:7] for commit in commits[1:] if commit["sha"] not in status["body"]]
    if len(commits) < 3 or untold:  # noqa: PLR2004 - the one that opened the branch, and one for each turn
        raise DemoError(f"Of {len(commits)} commits on pull request #{pull['number']}, the status leaves out {untold}.")
    console.print(f"\n[bold]Ready for review[/bold] {pull['html_url']}, branch {row['branch']}")
    for commit in commits:
        console.print(f"  {commit['sha'][:7]} {commit['commit']['message'].splitlines()[0]}", markup=False)
    console.print(f"  {row['turns']} model turns, ${float(row['cost_usd']):.2f}")


def _show_answer(session: SessionOnGitHub, url: str, seconds: float) -> None:
    _show_comment("Claude's reply, a comment of its own", session.reply(url, seconds)["body"])


def _show_comment(title: str, body: str) -> None:
    console.print(Panel(Markdown(_HIDDEN.sub("", body)), title=title, width=PANEL_COLUMNS), soft_wrap=False)


def _stay(installation: Installation, link: str) -> None:
    console.print(f"\nOpen [bold]{link}[/bold] in a browser. Comment on its pull request, or label an issue of")
    console.print(f"your own, at {installation.github_url}/{installation.repository}.")
    console.print("Ctrl-C stops everything.")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nStopping …")

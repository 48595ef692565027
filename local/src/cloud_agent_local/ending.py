"""What `down` does first: live sessions end as they do on GitHub, so that no pull request goes on saying Running."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cloud_agent_cli.terminal import part
from cloud_agent_local.github_client import GitHubClient
from cloud_agent_local.sample import LABEL
from cloud_agent_local.session_on_github import SessionOnGitHub
from cloud_agent_local.sessions import live_sessions
from cloud_agent_local.up import is_up

if TYPE_CHECKING:
    from cloud_agent_local.installation import Installation

END_SECONDS = 45.0
_POLL_SECONDS = 0.5


def end_sessions(installation: Installation) -> None:
    """Remove the label from each live session's issue, and wait until its pull request says that it has stopped.

    Does nothing where not every part runs, and returns after 45 s in any case: what is left ends with the system.
    """
    rows = live_sessions(installation) if is_up(installation) else []
    if not rows:
        return
    github = GitHubClient(installation)
    with part(f"ending {len(rows)} live session{'s' if len(rows) > 1 else ''}"):
        for row in rows:
            labels = f"/repos/{row['repo']}/issues/{row['issue_number']}/labels"
            for label in github.call("GET", labels):
                if label["name"].startswith(LABEL):  # that of the staging agent, too
                    github.call("DELETE", f"{labels}/{label['name']}")
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline and any(_is_shown_live(installation, github, row) for row in rows):
            time.sleep(_POLL_SECONDS)


def _is_shown_live(installation: Installation, github: GitHubClient, row: dict[str, str]) -> bool:
    if any(live["session_id"] == row["session_id"] for live in live_sessions(installation)):
        return True
    session = SessionOnGitHub(installation, github, row["session_id"])
    return "pull_number" in session.row() and session.current_link() is not None

"""The sample repository: created on the local GitHub and pushed there, as a person would."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import TYPE_CHECKING

from cloud_agent_local.errors import PartFailedError

if TYPE_CHECKING:
    from cloud_agent_local.github_client import GitHubClient
    from cloud_agent_local.installation import Installation

SOURCE = Path(__file__).parent / "sample_repository"
NAME = "lunch-board"
LABEL = "claude-dev"


def publish(installation: Installation, github: GitHubClient) -> str:
    """Guarantee that the sample repository and the label exist; returns the repository's full name."""
    repository = f"{github.credentials.owner}/{NAME}"
    if not github.exists(f"/repos/{repository}"):
        github.call(
            "POST",
            f"/orgs/{github.credentials.owner}/repos",
            {"name": NAME, "description": "Where shall we eat today?"},
        )
        with tempfile.TemporaryDirectory() as folder:
            work_tree = Path(folder) / NAME
            copytree(SOURCE, work_tree, ignore=ignore_patterns("__pycache__"))
            push(work_tree, f"{installation.github_url}/{repository}.git", github.credentials.token)
    if not github.exists(f"/repos/{repository}/labels/{LABEL}"):
        label = {"name": LABEL, "color": "d97757", "description": "Claude implements this issue"}
        github.call("POST", f"/repos/{repository}/labels", label)
    return repository


def push(work_tree: Path, url: str, token: str) -> None:
    """Make the folder's files the first commit of `main` and push it.

    Raises:
        PartFailedError: with git's own words.
    """
    _git(work_tree, "init", "--quiet", "--initial-branch", "main")
    _git(work_tree, "add", "--all")
    _git(work_tree, "commit", "--quiet", "--message", "Add the first version")
    _git(work_tree, "push", "--quiet", url, "main", token=token)


def _git(work_tree: Path, *arguments: str, token: str = "") -> None:
    identity = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "Octo Developer"), ("EMAIL", "octo-dev@example.com"))
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(work_tree), "GIT_CONFIG_NOSYSTEM": "1"} | identity
    if token:
        # The token goes by the environment: an argument list is readable by every process of the machine.
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}",
        }
    run = subprocess.run(  # noqa: S603 - constant arguments
        ["git", *arguments],  # noqa: S607 - found on PATH by check_tools
        cwd=work_tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if run.returncode != 0:
        raise PartFailedError(f"git {arguments[0]} of the sample repository failed: {run.stderr.strip()}")

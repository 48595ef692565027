"""The real server process, a receiver of its webhooks, and clients of both kinds."""

from __future__ import annotations

import os
import subprocess
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local_github.testing import Receiver, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("github")) as running:
        yield running


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, which it may stop and start."""
    with Server(tmp_path / "github") as running:
        yield running


@pytest.fixture
def receiver(server: Server) -> Iterator[Receiver]:
    """A receiver to which the server sends its webhooks for the time of the test."""
    with Receiver() as receiving, server.client(server.app_jwt()) as app:
        app.patch("/app/hook/config", json={"url": receiving.url}).raise_for_status()
        receiving.wait_for("ping")
        try:
            yield receiving
        finally:
            app.patch("/app/hook/config", json={"url": ""})


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """REST as the person `octo-dev`."""
    with server.client(server.credentials["token"]) as client:
        yield client


@pytest.fixture
def new_repository(api: httpx.Client, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Make repositories of the organization and return owner/name."""

    def make(**settings: Any) -> str:  # noqa: ANN401 - JSON
        name = f"{request.node.originalname[:60]}-{uuid.uuid4().hex[:8]}"
        answer = api.post("/orgs/acme/repos", json={"name": name, "auto_init": True, **settings})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["full_name"])

    return make


@pytest.fixture
def repo(new_repository: Callable[..., str]) -> str:
    """A public repository with one commit on main."""
    return new_repository()


@pytest.fixture
def branch_with_commit(api: httpx.Client, repo: str) -> Callable[[str], str]:
    """Make a branch one empty commit ahead of main and return that commit."""

    def make(branch: str) -> str:
        main = api.get(f"/repos/{repo}/git/ref/heads/main").json()["object"]["sha"]
        tree = api.get(f"/repos/{repo}/git/commits/{main}").json()["tree"]["sha"]
        commit = {"message": f"start {branch}", "tree": tree, "parents": [main]}
        sha = api.post(f"/repos/{repo}/git/commits", json=commit).json()["sha"]
        answer = api.post(f"/repos/{repo}/git/refs", json={"ref": f"refs/heads/{branch}", "sha": sha})
        assert answer.status_code == 201, answer.text
        return str(sha)

    return make


@dataclass
class Git:
    """The newcomer's git, with a clean environment and one working folder."""

    folder: Path
    server: Server

    def url(self, repo: str, token: str | None = None) -> str:
        credential = f"x-access-token:{token}@" if token else ""
        return f"http://{credential}localhost:{self.server.port}/{repo}.git"

    def run(self, *arguments: str, folder: str = ".", fails: bool = False) -> str:
        identity = {
            f"GIT_{role}_{name}": f"{role.lower()}@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for name in ("NAME", "EMAIL")
        }
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "LANG": "C.UTF-8",
            **identity,
        }
        ended = subprocess.run(
            ["git", *arguments],
            cwd=self.folder / folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert fails == (ended.returncode != 0), ended.stderr
        return ended.stderr if fails else ended.stdout.strip()


@pytest.fixture
def git(tmp_path: Path, server: Server) -> Git:
    return Git(tmp_path, server)

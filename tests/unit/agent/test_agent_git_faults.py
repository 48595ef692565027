"""GitHub has faults that pass: a clone and a push outlast them, and neither insists where GitHub refuses."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tests.kit.git_http import CUT, GitHttp, serve_git
from tests.kit.http_server import HttpServer, NoResponse, Response

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git import branch as module
from cloud_agent_runner.git import command, github_faults
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import CloneFailedError, GitWorkspace
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BRANCH = "claude/42"
UNAVAILABLE = Response(503)
LIMITED = Response(429, b"", {"Retry-After": "1"})
PASSING = {
    "a lost connection": [NoResponse.CLOSE],
    "500": [Response(500)],
    "502": [Response(502)],
    "503": [UNAVAILABLE],
    "429": [LIMITED],
    "a stalled connection": [NoResponse.HANG],
    "a list of branches that ends in the middle": [None, CUT],
    "a lost connection during the transfer": [None, None, NoResponse.CLOSE],
    "503 during the transfer": [None, None, UNAVAILABLE],
    "a transfer that ends in the middle": [None, None, CUT],
    "one after the other": [NoResponse.CLOSE, UNAVAILABLE, None, LIMITED, None, None, CUT],
}


def git(*arguments: str, at: Path) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(["git", *identity, *arguments], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes are hundredths of seconds here."""
    monkeypatch.setattr(github_faults, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 20)
    monkeypatch.setattr(command, "_STALLED_SECONDS", 1)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[tuple[GitHttp, HttpServer]]:
    root, clone = tmp_path / "github", tmp_path / "clone"
    root.mkdir()
    git("init", "--quiet", "--bare", "--initial-branch=main", str(root / "app.git"), at=root)
    git("init", "--quiet", "--initial-branch=main", str(clone), at=root)
    (clone / "page.txt").write_text("one\n")
    git("add", "--all", at=clone)
    git("commit", "--quiet", "--message", "first", at=clone)
    git("push", "--quiet", str(root / "app.git"), "main", f"main:{BRANCH}", at=clone)
    with serve_git(root) as served:
        yield served


async def clone(tmp_path: Path, server: HttpServer) -> GitWorkspace:
    async def token() -> GitToken:
        return GitToken(username="x-access-token", token=SecretStr("t"))

    root = tmp_path / "work"
    root.mkdir()
    branch = SessionBranch(f"{server.url}/app.git", BRANCH)
    return await GitWorkspace.clone(root, WorkspaceUser(root, None), branch, GitTokens(token, token))


@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
async def test_a_clone_outlasts_a_fault_that_passes(
    tmp_path: Path, github: tuple[GitHttp, HttpServer], faults: list[Response | NoResponse | None]
) -> None:
    git_http, server = github
    git_http.faults.extend(faults)
    workspace = await clone(tmp_path, server)
    assert (workspace.work_tree / "page.txt").read_text() == "one\n"
    assert not git_http.faults


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refusal_is_said_at_once(tmp_path: Path, github: tuple[GitHttp, HttpServer], status: int) -> None:
    git_http, server = github
    git_http.faults.extend([Response(status)] * 9)
    with pytest.raises(CloneFailedError, match=r"Couldn't clone the branch claude/42 from .*"):
        await clone(tmp_path, server)
    assert len(server.requests) <= 2  # with 401, git itself asks for a credential that there isn't


async def test_a_fault_that_stays_is_named_in_the_end(
    tmp_path: Path, github: tuple[GitHttp, HttpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 1.0)
    git_http, server = github
    git_http.faults.extend([UNAVAILABLE] * 99)
    with pytest.raises(CloneFailedError, match=r"GitHub gave no usable response for .* error: 503"):
        await clone(tmp_path, server)
    assert len(server.requests) > 2


@pytest.mark.parametrize(
    ("before", "fault"),
    [(0, NoResponse.CLOSE), (2, UNAVAILABLE), (3, CUT), (5, CUT)],
)
async def test_a_push_outlasts_a_fault_and_is_made_once(
    tmp_path: Path, github: tuple[GitHttp, HttpServer], fault: Response | NoResponse, before: int
) -> None:
    """Of the fourth request, the push, `CUT` loses the answer to a push that was carried out."""
    git_http, server = github
    workspace = await clone(tmp_path, server)
    (workspace.work_tree / "new.txt").write_text("new\n")
    git_http.faults.extend([*[None] * before, fault])

    published = await workspace.publish()

    assert published.head_sha == git("rev-parse", BRANCH, at=git_http.root / "app.git")
    assert published.head_sha == git("rev-parse", "HEAD", at=workspace.work_tree)
    assert git("rev-list", "--count", BRANCH, at=git_http.root / "app.git") == "2"

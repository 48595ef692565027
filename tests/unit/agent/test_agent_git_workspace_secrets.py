"""A secret never leaves by a push, and who may say that something isn't one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.publish_errors import PublishFailedError, PublishRefusedError
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import GitWorkspace
from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig
from cloud_agent_runner.repository.config_file import (
    DefaultBranchConfigError,
    RepositoryConfigError,
    read_repository_config,
)
from cloud_agent_runner.repository.session_settings import SessionSettings, session_settings
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

BRANCH = "claude/42"
VALUE = (
    "shpat" + "_1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"
)  # in two parts, so that nobody's scanner stops a push of this file
ALLOWED = "secret_scan_ignore: ['tests/*']\n"


class Remote:
    """A repository on GitHub, with a session's branch and a default branch."""

    def __init__(self, root: Path) -> None:
        self.bare, self._clone = root / "remote.git", root / "clone"
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), at=root)
        git("init", "--quiet", "--initial-branch=main", str(self._clone), at=root)
        self.commit("README.md", "hello\n", BRANCH)

    def commit(self, name: str, content: str, *more_branches: str) -> None:
        """Commit a file to the default branch, and to others."""
        path = self._clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        git("add", "--all", at=self._clone)
        git("commit", "--quiet", "--message", "a change", at=self._clone)
        for branch in ("main", *more_branches):
            git("push", "--quiet", str(self.bare), f"main:{branch}", at=self._clone)

    def head(self) -> str:
        return git("rev-parse", BRANCH, at=self.bare)

    def objects(self) -> str:
        return git("cat-file", "--batch-check", "--batch-all-objects", at=self.bare)


def git(*arguments: str, at: Path) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


@pytest.fixture
async def workspace(tmp_path: Path, remote: Remote) -> GitWorkspace:
    async def token() -> GitToken:
        return GitToken(username="x-access-token", token=SecretStr("t"))

    root = tmp_path / "work"
    root.mkdir()
    branch = SessionBranch(str(remote.bare), BRANCH)
    return await GitWorkspace.clone(root, WorkspaceUser(root, None), branch, GitTokens(token, token))


def commit(workspace: GitWorkspace, name: str, content: str | None) -> str:
    path = workspace.work_tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    git("add", "--all", at=workspace.work_tree)
    git("commit", "--quiet", "--message", f"change {name}", at=workspace.work_tree)
    return git("rev-parse", "HEAD", at=workspace.work_tree)


async def test_nothing_is_pushed_while_any_commit_has_a_secret_and_all_once_none_has(
    workspace: GitWorkspace, remote: Remote
) -> None:
    before, objects = remote.head(), remote.objects()
    added = commit(workspace, "src/a`b.py", f'TOKEN = "{VALUE}"\n')
    commit(workspace, "src/a`b.py", None)

    with pytest.raises(PublishRefusedError) as refused:
        await workspace.publish()

    assert (before, objects) == (remote.head(), remote.objects())
    for text in (str(refused.value), refused.value.request):
        assert f"`src/a?b.py` line 1, commit {added[:7]}: shopify-access-token" in text
        assert VALUE not in text
    assert f"`secret_scan_ignore` in `{CONFIG_PATH}` on the default branch" in str(refused.value)
    assert f"rebase the commits after {before[:7]}" in refused.value.request

    git("reset", "--quiet", "--hard", before, at=workspace.work_tree)
    clean = commit(workspace, "src/a.py", 'TOKEN = os.environ["TOKEN"]\n')
    assert (await workspace.publish()).head_sha == clean == remote.head()


async def test_a_file_left_uncommitted_is_committed_and_scanned_too(workspace: GitWorkspace) -> None:
    (workspace.work_tree / ".env.production").write_text("INTERNAL=1\n")
    with pytest.raises(PublishRefusedError, match=r"`\.env\.production` line 1, commit .*: environment-file"):
        await workspace.publish()


async def test_the_default_branch_allows_paths_and_nothing_that_claude_can_commit_does(
    workspace: GitWorkspace, remote: Remote
) -> None:
    commit(workspace, CONFIG_PATH, ALLOWED)
    head = commit(workspace, "tests/api/test_login.py", f'TOKEN = "{VALUE}"  # gitleaks:allow\n')
    with pytest.raises(PublishRefusedError):
        await workspace.publish()

    remote.commit(CONFIG_PATH, ALLOWED)
    assert (await workspace.publish()).head_sha == head == remote.head()

    commit(workspace, "src/login.py", f'TOKEN = "{VALUE.replace("1a", "9f")}"\n')
    with pytest.raises(PublishRefusedError, match=r"src/login\.py"):
        await workspace.publish()


async def test_a_default_branch_whose_settings_are_wrong_allows_nothing_and_the_reply_says_why(
    workspace: GitWorkspace, remote: Remote
) -> None:
    commit(workspace, "tests/a.py", f'TOKEN = "{VALUE}"\n')
    remote.commit(CONFIG_PATH, "secret_scan_ignore: tests\n")
    with pytest.raises(PublishFailedError, match="line 1: `secret_scan_ignore`: must be a list"):
        await workspace.publish()


async def test_commits_that_cannot_be_scanned_are_not_pushed(
    workspace: GitWorkspace, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = remote.head()
    monkeypatch.setattr("cloud_agent_runner.secret_scan.scan._TIMEOUT_SECONDS", 0)
    commit(workspace, "a.py", "pass\n")
    with pytest.raises(PublishFailedError, match="took longer than 0 s"):
        await workspace.publish()
    assert remote.head() == before


async def test_the_settings_of_the_default_branch_are_there_for_a_branch_without_any(
    workspace: GitWorkspace, remote: Remote
) -> None:
    assert await session_settings(workspace, BRANCH) == SessionSettings(RepositoryConfig())
    remote.commit(CONFIG_PATH, "dev: make serve\n")
    await workspace.bring_up_to_date()
    settings = await session_settings(workspace, BRANCH)
    assert (settings.config.dev, settings.branch, settings.notice) == ("make serve", "", "")
    assert read_repository_config(workspace.work_tree, settings.otherwise) == settings.config
    commit(workspace, CONFIG_PATH, "dev: npm start\n")
    assert read_repository_config(workspace.work_tree, settings.otherwise).dev == "npm start"

    commit(workspace, CONFIG_PATH, None)
    remote.commit(CONFIG_PATH, "dve: make serve\n")
    await workspace.bring_up_to_date()
    with pytest.raises(DefaultBranchConfigError, match=r"^On the default branch: .*line 1: `dve`: unknown key"):
        await session_settings(workspace, BRANCH)


async def test_settings_that_cannot_be_used_are_fixed_on_either_branch(workspace: GitWorkspace, remote: Remote) -> None:
    commit(workspace, CONFIG_PATH, "dve: npm start\n")
    for content in (None, "dve: make serve\n"):
        if content:
            remote.commit(CONFIG_PATH, content)
            await workspace.bring_up_to_date()
        with pytest.raises(RepositoryConfigError, match=rf"^On the branch {BRANCH}: .*line 1: `dve`") as error:
            await session_settings(workspace, BRANCH)
        assert error.type is RepositoryConfigError

    remote.commit(CONFIG_PATH, "dev: make serve\n")
    await workspace.bring_up_to_date()
    settings = await session_settings(workspace, BRANCH)
    assert (settings.config.dev, settings.branch) == ("make serve", "")
    assert settings.notice == (
        "This session uses the default branch's settings, since those of claude/42 can't be used: "
        f"{CONFIG_PATH} line 1: `dve`: unknown key; did you mean `dev`?"
    )
    assert read_repository_config(workspace.work_tree, settings.otherwise) == settings.config

    commit(workspace, CONFIG_PATH, "dev: [npm]\n")
    with pytest.raises(RepositoryConfigError, match="`dev`: must be text"):
        read_repository_config(workspace.work_tree, settings.otherwise)
    commit(workspace, CONFIG_PATH, "dev: npm start\n")
    assert read_repository_config(workspace.work_tree, settings.otherwise).dev == "npm start"


@pytest.mark.parametrize(
    ("branch", "error", "text"),
    [
        ("", DefaultBranchConfigError, "On the default branch: No."),
        (BRANCH, RepositoryConfigError, f"On the branch {BRANCH}: No."),
    ],
)
def test_what_else_is_wrong_with_settings_is_told_with_their_branch(
    branch: str, error: type[RepositoryConfigError], text: str
) -> None:
    def refuse(_: RepositoryConfig) -> None:
        raise RepositoryConfigError("No.")

    settings = SessionSettings(RepositoryConfig(dev="npm start"), branch)
    assert settings.checked(lambda config: config.dev) == "npm start"
    with pytest.raises(RepositoryConfigError) as raised:
        settings.checked(refuse)
    assert (raised.type, str(raised.value)) == (error, text)

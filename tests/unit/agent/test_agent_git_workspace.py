"""What is published of a turn, and a push that GitHub refuses for good: said by its kind, and not tried again."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git import command
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.publish_errors import PublishFailedError
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.untouched import is_untouched
from cloud_agent_runner.git.workspace import GitWorkspace
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = ".github/workflows/ci.yml"
REFUSALS = {
    "an App": "refusing to allow a GitHub App to create or update workflow "
    f"`{WORKFLOW}` without `workflows` permission",
    "a token": "refusing to allow a Personal Access Token to create or update workflow "
    f"`{WORKFLOW}` without `workflow` scope",
}


def git(*arguments: str, at: Path) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A repository with one commit on the session's branch."""
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    git("init", "--quiet", "--bare", "--initial-branch", "main", str(remote), at=tmp_path)
    git("init", "--quiet", "--initial-branch", "claude/42", str(clone), at=tmp_path)
    git("commit", "--quiet", "--allow-empty", "--message", "first", at=clone)
    git("push", "--quiet", str(remote), "claude/42", "claude/42:main", at=clone)
    return remote


@pytest.fixture
def user(tmp_path: Path) -> WorkspaceUser:
    root = tmp_path / "work"
    root.mkdir()
    return WorkspaceUser(root, None)


@pytest.fixture
async def workspace(user: WorkspaceUser, remote: Path) -> GitWorkspace:
    async def token() -> GitToken:
        return GitToken(username="x-access-token", token=SecretStr("t"))

    branch = SessionBranch(str(remote), "claude/42", allow_workflow_changes=True)
    return await GitWorkspace.clone(user.home, user, branch, GitTokens(token, token))


async def test_a_turn_that_changed_nothing_takes_four_commands(
    workspace: GitWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, run = [], command._run  # noqa: SLF001 - what starts every process

    async def recorded(argv: list[str], name: str, **options: Any) -> str:  # noqa: ANN401 - as it's called
        names.append(name)
        return await run(argv, name, **options)

    monkeypatch.setattr(command, "_run", recorded)
    assert (await workspace.publish()).head_sha is None
    assert await workspace.changes() == ([], None)
    assert await workspace.newly_uncommitted() == []
    assert not await workspace.conflicts()
    assert names == ["status", "ls-files", "rev-parse", "merge-tree"]


@pytest.mark.parametrize("change", ["staged", "new", "commit"])
async def test_a_work_tree_is_untouched_until_a_file_or_a_commit_is_another(
    workspace: GitWorkspace, user: WorkspaceUser, change: str
) -> None:
    tree, begun = workspace.work_tree, (await workspace.cloned_files()).head
    assert await is_untouched(user, tree, begun)
    if change == "commit":
        git("commit", "--quiet", "--allow-empty", "--message", "nothing", at=tree)
    else:
        (tree / "page.html").write_text("new")
        git(*(["add", "page.html"] if change == "staged" else ["status"]), at=tree)
    assert not await is_untouched(user, tree, begun)


async def test_where_git_does_not_say_nothing_is_untouched(user: WorkspaceUser, tmp_path: Path) -> None:
    assert not await is_untouched(user, tmp_path, "a" * 40)


async def test_what_a_turn_has_left_is_committed_whatever_the_repository_shows_of_it(
    workspace: GitWorkspace, remote: Path
) -> None:
    git("config", "status.showUntrackedFiles", "no", at=workspace.work_tree)
    (workspace.work_tree / "left.txt").write_text("left\n")
    assert (await workspace.publish()).head_sha is not None
    git("cat-file", "-e", "claude/42:left.txt", at=remote)


async def test_a_hook_of_the_repositorys_fails_claudes_commit_and_not_what_is_committed_of_a_turns_rest(
    workspace: GitWorkspace, remote: Path
) -> None:
    tree = workspace.work_tree
    hooks = tree / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\necho 'page.txt: no newline at its end' >&2\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    git("config", "core.hooksPath", "hooks", at=tree)  # as husky does
    (tree / "page.txt").write_text("new")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        git("commit", "--all", "--message", "Change the page", at=tree)
    assert "no newline" in failed.value.stderr
    assert (await workspace.publish()).head_sha is not None
    assert git("show", "claude/42:page.txt", at=remote) == "new"


async def test_what_claude_adds_by_force_to_a_folder_that_an_install_made_is_published(
    workspace: GitWorkspace, remote: Path
) -> None:
    generated = workspace.work_tree / "generated"
    generated.mkdir()
    (generated / "by_install.py").write_text("")
    await workspace.leave_out_untracked()
    (generated / "by_claude.py").write_text("")
    git("add", "--force", "generated/by_claude.py", at=workspace.work_tree)
    await workspace.publish()
    assert git("ls-tree", "--name-only", "claude/42:generated", at=remote) == "by_claude.py"


@pytest.mark.parametrize("who", REFUSALS)
async def test_a_change_of_a_workflow_that_github_refuses_is_named_with_what_to_do(
    tmp_path: Path, workspace: GitWorkspace, remote: Path, who: str
) -> None:
    pushes, hook = tmp_path / "pushes", remote / "hooks/pre-receive"
    hook.write_text(f"#!/bin/sh\necho push >> {pushes}\ncat >&2 <<'END'\n{REFUSALS[who]}\nEND\nexit 1\n")
    hook.chmod(0o755)
    changed = workspace.work_tree / WORKFLOW
    changed.parent.mkdir(parents=True)
    changed.write_text("on: push\n")

    with pytest.raises(PublishFailedError) as refused:
        await workspace.publish()

    for words in (f"`{WORKFLOW}`", "Workflows permission", "`AllowWorkflowChanges=true`", "commits are kept"):
        assert words in str(refused.value)
    assert pushes.read_text() == "push\n", "it isn't tried again"

"""What of the work tree may reach GitHub: the session's branch alone, and workflows where the deployment allows it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tests.kit.shared_branch import SharedBranch

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git import command, work_tree
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.publish_errors import PublishFailedError, PublishRefusedError
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import GitWorkspace
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

BRANCH = "claude/42"
WORKFLOW = ".github/workflows/ci.yml"


def git(*arguments: str, at: Path) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout.strip()


def commit(at: Path, name: str, content: str | None) -> None:
    path = at / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    git("add", "--all", at=at)
    git("commit", "--quiet", "--message", f"change {name}", at=at)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A GitHub that would let everything through; its `clone` is somebody else's."""
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    git("init", "--quiet", "--bare", "--initial-branch=main", str(remote), at=tmp_path)
    git("init", "--quiet", "--initial-branch=main", str(clone), at=tmp_path)
    commit(clone, WORKFLOW, "on: push\n")
    git("push", "--quiet", str(remote), "main", f"main:{BRANCH}", at=clone)
    return remote


async def cloned(remote: Path, *, allow_workflow_changes: bool = False) -> GitWorkspace:
    async def token() -> GitToken:
        return GitToken(username="x-access-token", token=SecretStr("t"))

    root = remote.parent / "work"
    root.mkdir()
    branch = SessionBranch(str(remote), BRANCH, allow_workflow_changes)
    return await GitWorkspace.clone(root, WorkspaceUser(root, None), branch, GitTokens(token, token))


def refs(remote: Path) -> list[str]:
    return git("for-each-ref", "--format=%(refname)", at=remote).split()


async def test_tags_notes_and_branches_that_claude_makes_stay_in_the_container(remote: Path) -> None:
    before = refs(remote)
    workspace = await cloned(remote)
    tree = workspace.work_tree
    commit(tree, "a.txt", "a\n")
    git("tag", "v1", at=tree)
    git("tag", "--annotate", "--message=x", "v2", at=tree)
    git("branch", "main", at=tree)
    git("notes", "add", "--message=x", at=tree)
    git("config", "push.followTags", "true", at=tree)
    git("config", f"branch.{BRANCH}.merge", "refs/heads/main", at=tree)

    assert (await workspace.publish()).head_sha == git("rev-parse", "HEAD", at=tree)
    assert refs(remote) == before
    assert git("rev-parse", "main", at=remote) != git("rev-parse", BRANCH, at=remote)


async def test_a_branch_that_claude_switches_to_is_published_as_the_sessions(remote: Path) -> None:
    before = refs(remote)
    workspace = await cloned(remote)
    git("switch", "--quiet", "--create", "main", at=workspace.work_tree)
    commit(workspace.work_tree, "a.txt", "a\n")

    assert (await workspace.publish()).head_sha == git("rev-parse", BRANCH, at=remote)
    assert refs(remote) == before


@pytest.mark.parametrize("content", ["on: pull_request_target\n", None], ids=["changed", "deleted"])
async def test_a_workflow_change_is_refused_before_the_push_unless_the_deployment_allows_it(
    remote: Path, content: str | None
) -> None:
    before = git("rev-parse", BRANCH, at=remote)
    workspace = await cloned(remote)
    commit(workspace.work_tree, WORKFLOW, content)
    with pytest.raises(PublishFailedError) as refused:
        await workspace.publish()
    for words in (f"`{WORKFLOW}`", "`AllowWorkflowChanges=true`", "commits are kept"):
        assert words in str(refused.value)
    assert git("rev-parse", BRANCH, at=remote) == before

    commit(workspace.work_tree, WORKFLOW, "on: push\n")
    assert (await workspace.publish()).head_sha is not None


async def test_a_workflow_change_is_pushed_where_the_deployment_allows_it(remote: Path) -> None:
    workspace = await cloned(remote, allow_workflow_changes=True)
    commit(workspace.work_tree, WORKFLOW, "on: pull_request\n")
    assert (await workspace.publish()).head_sha is not None


@pytest.mark.parametrize("branch", [BRANCH, "main"], ids=["the session's branch", "the default branch"])
async def test_workflows_that_others_changed_on_github_are_merged(remote: Path, branch: str) -> None:
    workspace = await cloned(remote)
    clone = remote.parent / "clone"
    commit(clone, WORKFLOW, "on: pull_request\n")
    git("push", "--quiet", str(remote), f"main:{branch}", at=clone)
    commit(workspace.work_tree, "a.txt", "a\n")
    git("fetch", "--quiet", str(remote), branch, at=workspace.work_tree)
    git("merge", "--quiet", "--no-edit", "FETCH_HEAD", at=workspace.work_tree)
    commit(workspace.work_tree, "b.txt", "b\n")

    assert (await workspace.publish()).head_sha == git("rev-parse", "HEAD", at=workspace.work_tree)


async def test_an_old_workflow_that_a_merge_brings_back_is_refused(remote: Path) -> None:
    clone = remote.parent / "clone"
    commit(clone, WORKFLOW, "on: pull_request\n")
    git("push", "--quiet", str(remote), "main", f"main:{BRANCH}", at=clone)
    workspace = await cloned(remote)
    tree = workspace.work_tree
    old = git("rev-parse", "HEAD~1", at=tree)
    kept = git("rev-parse", f"{old}^{{tree}}", at=tree)
    merge = git("commit-tree", kept, "-p", "HEAD", "-p", old, "-m", "Merge", at=tree)
    git("reset", "--quiet", "--hard", merge, at=tree)

    with pytest.raises(PublishFailedError):
        await workspace.publish()


async def test_more_than_github_takes_in_one_push_is_refused_and_nothing_of_it_is_left(
    remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_tree, "MOST_BYTES", 100_000)
    workspace = await cloned(remote)
    commit(workspace.work_tree, "small.txt", "small")
    assert (await workspace.publish()).head_sha

    (workspace.work_tree / "large.bin").write_bytes(os.urandom(200_000))
    before = _packs(remote)
    with pytest.raises(PublishRefusedError, match="the commits have more than 2 GiB") as refused:
        await workspace.publish()
    assert "amend or rebase those commits" in refused.value.request
    assert _packs(remote) == before

    git("reset", "--quiet", "--soft", "HEAD~1", at=workspace.work_tree)
    (workspace.work_tree / "large.bin").write_text("no longer")
    head = (await workspace.publish()).head_sha
    assert git("rev-parse", BRANCH, at=remote) == head


def _packs(remote: Path) -> set[Path]:
    """Return the files of the supervisor's repository with what it has fetched."""
    return set((remote.parent / "work" / "repository.git" / "objects" / "pack").iterdir())


async def test_what_is_never_committed_is_listed_once_unless_the_repository_ignores_it(remote: Path) -> None:
    workspace = await cloned(remote)
    tree = workspace.work_tree
    commit(tree, ".gitignore", "*.log\n/dist/\n")
    commit(tree, "src/app.py", "")
    (tree / "node_modules" / "left-pad").mkdir(parents=True)
    (tree / "node_modules" / "left-pad" / "index.js").touch()
    (tree / "db.dump").touch()
    await workspace.leave_out_untracked()  # the install command made these
    for path in (".env", "src/__pycache__/app.pyc", "npm.log", "dist/app.js", "dist/.env", "new.py"):
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).touch()
    assert await workspace.newly_uncommitted() == [".env", "src/__pycache__/"]
    (tree / "app" / "__pycache__").mkdir(parents=True)
    (tree / "app" / "__pycache__" / "app.pyc").touch()

    await workspace.publish()

    assert await workspace.newly_uncommitted() == ["app/"]
    assert await workspace.newly_uncommitted() == []
    assert "new.py" in git("ls-files", at=tree)
    (tree / ".git").rename(tree / "moved")
    assert await workspace.newly_uncommitted() == []


async def test_what_builds_make_is_left_out_and_listed_beside_what_describes_the_build(remote: Path) -> None:
    workspace = await cloned(remote)
    tree = workspace.work_tree
    commit(tree, "package.json", "{}")
    commit(tree, "action/package.json", "{}")
    commit(tree, "action/dist/index.js", "1")
    written = ["action/dist/more.js", "build/icons.js", "p/access.log", "tests/access.log", "tools/target/list.txt"]
    made = ["dist/app.js", "coverage/lcov.info", "my crate/target/debug/app", "action/pnpm-debug.log", "server.log"]
    for path in ("my crate/Cargo.toml", *written, *made):  # the crate is new, and so is what it was built to
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).touch()

    await workspace.publish()

    files = set(git("ls-files", at=tree).splitlines())
    assert files >= {"my crate/Cargo.toml", *written}
    assert not files & set(made)
    assert await workspace.newly_uncommitted() == [
        "action/pnpm-debug.log",
        "coverage/",
        "dist/",
        "my crate/target/",
        "server.log",
    ]
    git("add", "--force", "dist/app.js", at=tree)  # as Claude does when it's asked to
    await workspace.publish()
    assert "dist/app.js" in git("ls-tree", "-r", "--name-only", BRANCH, at=remote)


async def test_a_link_in_the_place_of_gits_exclude_file_is_replaced(remote: Path) -> None:
    workspace = await cloned(remote)
    elsewhere, exclude = remote.parent / "elsewhere", workspace.work_tree / ".git" / "info" / "exclude"
    exclude.unlink()
    exclude.symlink_to(elsewhere)
    (workspace.work_tree / "made.txt").touch()

    await workspace.leave_out_untracked()

    assert not elsewhere.exists()
    assert "/made.txt\n" in exclude.read_text()


@pytest.mark.parametrize("where", ["1", "2"])
async def test_a_filter_that_floods_git_ends_the_commit_and_not_the_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    workspace = await SharedBranch(tmp_path).clone()
    monkeypatch.setattr(command, "_MOST_COMPLAINT_BYTES", 1 << 20)
    monkeypatch.setattr(command, "_MOST_PRINTED_BYTES", 1 << 20)
    tree = workspace.work_tree
    # Git reads a filter's standard output as the file; through its own it can be written to all the same.
    git("config", "filter.flood.clean", f"exec >/proc/$PPID/fd/{where}; exec timeout 60 yes flood", at=tree)
    (tree / ".gitattributes").write_text("*.txt filter=flood\n")
    (tree / "a.txt").write_text("a\n")
    with pytest.raises(PublishFailedError, match=r"git \w+ printed more than 1 MiB\."):
        await workspace.publish()

"""What a turn leaves half done is finished by Claude or undone, and never pushed as it is."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from tests.kit.shared_branch import BRANCH, SharedBranch, git

from cloud_agent_runner.git.unfinished import UnfinishedError
from cloud_agent_runner.git.update import NOTHING_NEW

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.git.workspace import GitWorkspace

OURS, MAINS = "one\nours\nthree\n", "one\nmain's\nthree\n"
# Each conflicts with what Claude has committed to the page.
HALF_DONE = {
    "rebase": "rebase --quiet github/main",
    "merge": "merge --quiet --no-edit github/main",
    "cherry-pick": "cherry-pick github/main",
    "revert": "revert --no-edit HEAD~2",
    "": "stash pop",
}


@pytest.fixture
def shared(tmp_path: Path) -> SharedBranch:
    return SharedBranch(tmp_path)


@pytest.fixture
async def workspace(shared: SharedBranch) -> GitWorkspace:
    return await shared.clone()


async def half_done(shared: SharedBranch, workspace: GitWorkspace, operation: str) -> None:
    """Have two commits of Claude's, and an operation that has stopped at a conflict."""
    tree = workspace.work_tree
    shared.main_commits("page.txt", MAINS)
    await workspace.bring_up_to_date()
    if not operation:
        (tree / "page.txt").write_text("one\nstashed\nthree\n")
        git("stash", at=tree)
    shared.commit(tree, "page.txt", "one\nfirst\nthree\n")
    shared.commit(tree, "page.txt", OURS)
    shared.commit(tree, "more.txt", "more\n")
    stopped(HALF_DONE[operation].split(), tree)
    assert "<<<<<<<" in (tree / "page.txt").read_text()


@pytest.mark.parametrize("operation", HALF_DONE)
async def test_an_operation_in_progress_goes_back_to_claude_and_nothing_is_pushed(
    shared: SharedBranch, workspace: GitWorkspace, operation: str
) -> None:
    await half_done(shared, workspace, operation)
    before = shared.head()
    with pytest.raises(UnfinishedError) as refused:
        await workspace.publish()
    assert (operation or "conflicts") in refused.value.request
    assert before == shared.head()
    assert "<<<<<<<" in (workspace.work_tree / "page.txt").read_text()


@pytest.mark.parametrize("operation", HALF_DONE)
async def test_an_operation_that_nobody_finishes_is_undone_and_said(
    shared: SharedBranch, workspace: GitWorkspace, operation: str
) -> None:
    await half_done(shared, workspace, operation)
    published = await workspace.publish(undo=True)
    assert published.head_sha == shared.head()
    assert OURS.strip() == shared.show("page.txt")
    assert "more.txt" in shared.files()
    undone = workspace.undone()
    assert (operation or "conflicts") in undone.for_people
    assert (operation or "conflicts") in undone.for_claude
    assert workspace.undone() == NOTHING_NEW
    assert (at_branch(workspace), git("status", "--porcelain", at=workspace.work_tree)) == (BRANCH, "")
    assert not workspace.has_set_aside


@pytest.mark.parametrize("operation", HALF_DONE)
async def test_a_session_that_ends_in_the_middle_keeps_what_was_there_before(
    shared: SharedBranch, workspace: GitWorkspace, tmp_path: Path, operation: str
) -> None:
    await half_done(shared, workspace, operation)
    await workspace.commit_what_can_be()
    await workspace.bundle(tmp_path / "work.bundle")
    following = await shared.clone("following")
    await following.take_up(tmp_path / "work.bundle")
    assert (following.work_tree / "page.txt").read_text() == OURS
    assert (following.work_tree / "more.txt").exists()


async def test_what_claude_commits_in_the_middle_of_a_rebase_is_kept_beside_the_branch(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    await half_done(shared, workspace, "rebase")
    shared.commit(workspace.work_tree, "found.txt", "on the way\n")
    await workspace.publish(undo=True)
    assert "found.txt" not in shared.files()
    (kept,) = git("branch", "--list", "--format=%(refname:short)", "unpublished-*", at=workspace.work_tree).split()
    assert git("show", f"{kept}:found.txt", at=workspace.work_tree) == "on the way"
    undone = workspace.undone()
    assert [f"`{kept}`" in text and "rebase" in text for text in (undone.for_people, undone.for_claude)] == [True, True]
    assert workspace.has_set_aside


async def test_a_rebase_that_claude_finishes_is_pushed(shared: SharedBranch, workspace: GitWorkspace) -> None:
    await half_done(shared, workspace, "rebase")
    with pytest.raises(UnfinishedError):
        await workspace.publish()
    tree = workspace.work_tree
    for _ in range(2):  # both commits change the line
        (tree / "page.txt").write_text("one\nboth\nthree\n")
        git("add", "--all", at=tree)
        stopped(["rebase", "--continue"], tree)
    assert (await workspace.publish()).head_sha == shared.head()
    assert shared.show("page.txt") == "one\nboth\nthree"


async def test_a_rebase_that_waits_without_a_conflict_is_no_end_either(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    shared.commit(workspace.work_tree, "first.txt", "first\n")
    shared.commit(workspace.work_tree, "second.txt", "second\n")
    stopping = ["-c", "sequence.editor=sed -i 1s/pick/edit/", "rebase", "--quiet", "--interactive", "HEAD~2"]
    git(*stopping, at=workspace.work_tree)
    with pytest.raises(UnfinishedError, match="rebase"):
        await workspace.publish()
    await workspace.publish(undo=True)
    assert {"first.txt", "second.txt"} <= shared.files()


async def test_a_merge_whose_conflicts_are_resolved_is_committed(shared: SharedBranch, workspace: GitWorkspace) -> None:
    await half_done(shared, workspace, "merge")
    (workspace.work_tree / "page.txt").write_text("one\nboth\nthree\n")
    git("add", "--all", at=workspace.work_tree)
    assert (await workspace.publish()).head_sha == shared.head()
    assert git("rev-parse", "main", at=shared.github) in git("rev-list", BRANCH, at=shared.github).split()


@pytest.mark.parametrize(
    "looking",
    [
        ["checkout --quiet HEAD~2"],
        ["checkout --quiet -b look HEAD~2"],
        ["bisect start", "bisect bad", "bisect good HEAD~3"],
        ["checkout --quiet github/main"],
    ],
    ids=["an older commit", "a branch at an older commit", "a bisection", "the default branch"],
)
async def test_who_looks_at_another_commit_takes_nothing_off_the_branch(
    shared: SharedBranch, workspace: GitWorkspace, looking: list[str]
) -> None:
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        shared.commit(workspace.work_tree, name, "new\n")
    await workspace.publish()
    shared.commit(workspace.work_tree, "e.txt", "not pushed yet\n")
    for command in looking:
        git(*command.split(), at=workspace.work_tree)
    published = await workspace.publish()
    assert (published.head_sha, published.note) == (shared.head(), "")
    assert {"a.txt", "b.txt", "c.txt", "d.txt", "e.txt"} <= shared.files()
    assert at_branch(workspace) == BRANCH


async def test_what_is_committed_on_another_branch_is_the_sessions_which_is_checked_out_again(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    git("checkout", "--quiet", "-b", "feature", at=workspace.work_tree)
    shared.commit(workspace.work_tree, "a.txt", "new\n")
    assert (await workspace.publish()).head_sha == shared.head()
    assert (at_branch(workspace), "a.txt" in shared.files()) == (BRANCH, True)


async def test_work_beside_the_branch_goes_back_to_claude(shared: SharedBranch, workspace: GitWorkspace) -> None:
    await beside(shared, workspace)
    with pytest.raises(UnfinishedError, match=BRANCH) as refused:
        await workspace.publish()
    assert "`feature` is checked out" in refused.value.request
    git("checkout", "--quiet", "-B", BRANCH, at=workspace.work_tree)  # this alone is meant
    assert (await workspace.publish()).head_sha == shared.head()
    assert {"page.txt", "beside.txt", "more.txt"} == shared.files()


async def test_work_beside_the_branch_that_nobody_sees_to_is_kept_and_said(
    shared: SharedBranch, workspace: GitWorkspace, tmp_path: Path
) -> None:
    left = await beside(shared, workspace)
    published = await workspace.publish(undo=True)
    assert (published.head_sha, "mine.txt" in shared.files()) == (shared.head(), True)
    kept = git("for-each-ref", "--format=%(refname:short)", "refs/heads/unpublished-*", at=workspace.work_tree)
    assert "more.txt" in git("ls-tree", "-r", "--name-only", kept, at=workspace.work_tree)
    undone = workspace.undone()
    assert kept in undone.for_people
    assert kept in undone.for_claude
    assert (workspace.has_set_aside, await workspace.unpublished()) == (True, 2)

    await workspace.bundle(tmp_path / "work.bundle")
    following = await shared.clone("following")
    await following.take_up(tmp_path / "work.bundle")
    assert (following.work_tree / "beside.txt").exists()
    assert left in git("rev-list", "HEAD", at=following.work_tree).split()

    shared.commit(workspace.work_tree, "next.txt", "next\n")
    await workspace.publish()  # Claude has had a turn with it, and wants nothing of it
    assert not workspace.has_set_aside


async def test_who_looks_at_what_was_kept_keeps_it(shared: SharedBranch, workspace: GitWorkspace) -> None:
    await beside(shared, workspace)
    await workspace.publish(undo=True)
    kept = git("for-each-ref", "--format=%(refname:short)", "refs/heads/unpublished-*", at=workspace.work_tree)
    git("checkout", "--quiet", kept, at=workspace.work_tree)
    await workspace.publish(undo=True)
    assert (at_branch(workspace), workspace.has_set_aside) == (BRANCH, True)
    assert kept in workspace.undone().for_people


async def test_a_lock_that_a_killed_command_left_on_the_index_holds_nothing_up(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    lock = workspace.work_tree / ".git" / "index.lock"
    lock.touch()
    theirs = shared.person_commits("theirs.txt", "theirs\n")
    await workspace.bring_up_to_date()
    assert theirs == git("rev-parse", "HEAD", at=workspace.work_tree)
    (workspace.work_tree / "mine.txt").write_text("mine\n")
    lock.touch()
    assert (await workspace.publish()).head_sha == shared.head()
    assert "mine.txt" in shared.files()


async def beside(shared: SharedBranch, workspace: GitWorkspace) -> str:
    """Have a commit on the session's branch, and another, with a change that isn't committed, beside it."""
    tree = workspace.work_tree
    shared.commit(tree, "mine.txt", "mine\n")
    git("checkout", "--quiet", "-b", "feature", "github/main", at=tree)
    commit = shared.commit(tree, "beside.txt", "beside\n")
    (tree / "more.txt").write_text("more\n")
    return commit


def stopped(arguments: list[str], tree: Path) -> None:
    """Run what may stop at a conflict."""
    with suppress(subprocess.CalledProcessError):
        git(*arguments, at=tree)


def at_branch(workspace: GitWorkspace) -> str:
    return git("rev-parse", "--abbrev-ref", "HEAD", at=workspace.work_tree)

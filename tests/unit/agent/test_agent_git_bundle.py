"""Commits that couldn't be pushed, taken up by the branch's next session: nothing is lost, and nothing returns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.kit.shared_branch import BRANCH, SharedBranch, git

from cloud_agent_runner.git import bundle
from cloud_agent_runner.git.bundle import BundleTooLargeError
from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.publish_errors import PublishRefusedError
from cloud_agent_runner.git.reconcile import MERGED
from cloud_agent_runner.git.update import NOTHING_NEW

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.git.workspace import GitWorkspace


@pytest.fixture
def shared(tmp_path: Path) -> SharedBranch:
    return SharedBranch(tmp_path)


@pytest.fixture
async def first(shared: SharedBranch) -> GitWorkspace:
    return await shared.clone()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "bundle"


def head(workspace: GitWorkspace) -> str:
    return git("rev-parse", "HEAD", at=workspace.work_tree)


async def test_the_next_session_goes_on_with_refused_commits_and_with_what_was_not_committed(
    shared: SharedBranch, first: GitWorkspace, kept: Path
) -> None:
    rule = shared.refuse("no commits on Fridays")
    mine = shared.commit(first.work_tree, "page.txt", "one\n2\nthree\n")
    with pytest.raises(PublishRefusedError):
        await first.publish()
    (first.work_tree / "left.txt").write_text("left\n")
    await first.commit_what_can_be()
    await first.bundle(kept)
    second = await shared.clone("next")
    assert head(second) == shared.head()

    taken = await second.take_up(kept)

    assert taken.commits == 2 == await second.unpublished()
    assert "2 commits that weren't on GitHub" in taken.update.for_claude
    assert "Took up 2 commits" in taken.update.for_people
    assert git("rev-parse", "HEAD~1", at=second.work_tree) == mine
    assert (second.work_tree / "left.txt").read_text() == "left\n"
    assert (await second.cloned_files()).head == head(second)
    rule.unlink()
    assert (await second.publish()).head_sha == shared.head() == head(first)
    assert await second.unpublished() == 0


async def test_only_what_github_lacks_is_in_the_bundle(shared: SharedBranch, first: GitWorkspace, kept: Path) -> None:
    shared.commit(first.work_tree, "published.txt", "x\n")
    await first.publish()
    shared.main_commits("main.txt", "x\n")
    await first.bring_up_to_date()
    git("merge", "--quiet", "--no-edit", "github/main", at=first.work_tree)
    shared.commit(first.work_tree, "mine.txt", "x\n")

    await first.bundle(kept)

    repository = shared.github  # which has all that it builds on
    git("bundle", "verify", str(kept), at=repository)
    git("fetch", "--quiet", str(kept), "refs/session/unpublished:refs/heads/kept", at=repository)
    assert await first.unpublished() == 2
    top, mine, merge = git("log", "--format=%s", "kept", f"^{BRANCH}", "^main", at=repository).splitlines()
    assert (top, mine) == ("Commits that aren't on GitHub", "change mine.txt")
    assert merge.startswith("Merge remote-tracking branch 'github/main'")
    assert git("rev-parse", "kept^1", at=repository) == shared.head()


async def test_what_others_pushed_meanwhile_is_merged(shared: SharedBranch, first: GitWorkspace, kept: Path) -> None:
    shared.commit(first.work_tree, "mine.txt", "x\n")
    await first.bundle(kept)
    shared.person_commits("theirs.txt", "x\n")
    second = await shared.clone("next")

    taken = await second.take_up(kept)

    assert taken.commits == 2
    assert (await second.publish()).note != MERGED  # it was merged before
    assert shared.files() == {"page.txt", "mine.txt", "theirs.txt"}


async def test_what_conflicts_with_what_others_pushed_is_left_to_claude(
    shared: SharedBranch, first: GitWorkspace, kept: Path
) -> None:
    mine = shared.commit(first.work_tree, "page.txt", "one\n2\nthree\n")
    await first.bundle(kept)
    theirs = shared.person_commits("page.txt", "one\nII\nthree\n")
    second = await shared.clone("next")

    taken = await second.take_up(kept)

    assert taken.commits == 1 == await second.unpublished()
    assert f"Merge `github/{BRANCH}` first" in taken.update.for_claude
    assert head(second) == mine
    with pytest.raises(PublishRefusedError, match="the changes conflict"):
        await second.publish()
    assert shared.head() == theirs


async def test_what_a_person_took_off_the_branch_does_not_come_back_with_it(
    shared: SharedBranch, first: GitWorkspace, kept: Path
) -> None:
    shared.commit(first.work_tree, "unwanted.txt", "x\n")
    await first.publish()
    shared.commit(first.work_tree, "mine.txt", "x\n")
    await first.bundle(kept)
    shared.person_removes()
    second = await shared.clone("next")

    taken = await second.take_up(kept)

    assert taken.commits == 1
    await second.publish()
    assert shared.files() == {"page.txt", "mine.txt"}
    assert "change unwanted.txt" not in shared.subjects()


async def test_what_does_not_apply_to_a_rewritten_branch_stays_kept_until_claude_has_seen_to_it(
    shared: SharedBranch, first: GitWorkspace, kept: Path
) -> None:
    shared.commit(first.work_tree, "page.txt", "one\n2\nthree\n")
    await first.publish()
    mine = shared.commit(first.work_tree, "page.txt", "one\n2 and more\nthree\n")
    await first.bundle(kept)
    shared.person_removes()
    second = await shared.clone("next")

    taken = await second.take_up(kept)

    assert head(second) == shared.head()
    assert f"on the local branch unpublished-{mine[:7]}" in taken.update.for_claude
    assert git("rev-parse", f"unpublished-{mine[:7]}", at=second.work_tree) == mine
    assert await second.unpublished() == 1
    await second.bundle(kept)
    assert (await second.publish()).head_sha is None  # Claude has had its turn with it, and wants nothing of it
    assert await second.unpublished() == 0
    third = await shared.clone("after next")
    assert f"unpublished-{mine[:7]}" in (await third.take_up(kept)).update.for_claude
    shared.commit(third.work_tree, "page.txt", "one\ntwo and more\nthree\n")
    await third.publish()
    assert await third.unpublished() == 0


async def test_what_is_on_github_by_now_is_not_taken_up(shared: SharedBranch, first: GitWorkspace, kept: Path) -> None:
    shared.commit(first.work_tree, "mine.txt", "x\n")
    await first.bundle(kept)
    await first.publish()
    second = await shared.clone("next")

    taken = await second.take_up(kept)

    assert (taken.commits, taken.update) == (0, NOTHING_NEW)
    assert head(second) == shared.head()


async def test_commits_with_a_secret_are_scanned_again_before_the_next_session_pushes_them(
    shared: SharedBranch, first: GitWorkspace, kept: Path
) -> None:
    before = shared.head()
    token = "ghp_" + "wJalrXUtnFEMIK7MDENGbPxRfiCYzdLmQ8t2"
    shared.commit(first.work_tree, "page.txt", f"token = {token}\n")
    with pytest.raises(PublishRefusedError):
        await first.publish()
    await first.bundle(kept)
    second = await shared.clone("next")
    await second.take_up(kept)

    with pytest.raises(PublishRefusedError, match="secret"):
        await second.publish()

    assert shared.head() == before


@pytest.mark.parametrize("content", [b"no bundle", b"# v2 git bundle\n" + b"f" * 40 + b" refs/heads/x\n\nPACK"])
async def test_what_is_no_bundle_changes_nothing(
    shared: SharedBranch, first: GitWorkspace, kept: Path, content: bytes
) -> None:
    await asyncio.to_thread(kept.write_bytes, content)

    with pytest.raises(GitError):
        await first.take_up(kept)

    assert head(first) == shared.head()
    assert await first.unpublished() == 0


async def test_a_bundle_on_commits_that_github_lost_changes_nothing(
    shared: SharedBranch, first: GitWorkspace, kept: Path
) -> None:
    shared.commit(first.work_tree, "gone.txt", "x\n")
    await first.publish()
    shared.commit(first.work_tree, "mine.txt", "x\n")
    await first.bundle(kept)
    shared.person_removes()
    git("reflog", "expire", "--expire=now", "--all", at=shared.github)
    git("gc", "--quiet", "--prune=now", at=shared.github)
    second = await shared.clone("next")

    with pytest.raises(GitError):
        await second.take_up(kept)

    assert head(second) == shared.head()
    assert await second.unpublished() == 0


async def test_an_object_that_git_finds_fault_with_is_not_taken_in(
    shared: SharedBranch, first: GitWorkspace, kept: Path
) -> None:
    tree = first.work_tree
    blob = git("hash-object", "-w", "--stdin", at=tree)
    entry = bytes.fromhex(blob)
    (tree / "tree").write_bytes(b"100644 .git\0" + entry)
    hostile = git("hash-object", "-w", "-t", "tree", "--literally", "tree", at=tree)
    (tree / "tree").unlink()
    git("reset", "--quiet", "--soft", git("commit-tree", hostile, "-p", "HEAD", "-m", "x", at=tree), at=tree)
    await first.bundle(kept)
    second = await shared.clone("next")

    with pytest.raises(GitError, match="hasDotgit"):
        await second.take_up(kept)


async def test_more_than_is_kept_is_said_to_be(
    shared: SharedBranch, first: GitWorkspace, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "BUNDLE_LIMIT_BYTES", 1_000)
    shared.commit(first.work_tree, "large.txt", "".join(f"{number * 7919}\n" for number in range(5_000)))

    with pytest.raises(BundleTooLargeError):
        await first.bundle(kept)

"""A session begins with the last commits of a long history, and the rest follows beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.kit.shared_branch import BRANCH, SharedBranch, git

from cloud_agent_runner.git import branch as branch_module
from cloud_agent_runner.git import older_history, push
from cloud_agent_runner.git.branch import GitHubBranch
from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.update import NOTHING_NEW

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.git.workspace import GitWorkspace


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedBranch:
    """A history that's long for a session that begins with two commits."""
    monkeypatch.setattr(branch_module, "_LATEST_COMMITS", 2)
    monkeypatch.setattr(older_history, "_HEAD_START_SECONDS", 0)
    monkeypatch.setattr(push, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(older_history, "_PAUSE_SECONDS", 0)
    shared = SharedBranch(tmp_path)
    git("tag", "--annotate", "--message", "first", "v1.0", "main", at=shared.person)
    git("push", "--quiet", "origin", "v1.0", at=shared.person)
    for number in range(4):
        shared.main_commits(f"old{number}.txt", "x\n")
    shared.pull()
    git("rebase", "--quiet", "origin/main", at=shared.person)
    shared.push()
    return shared


class Gate:
    """Holds the download of older history until it's opened."""

    _FAULTS = (GitError("git fetch failed: fatal: early EOF"), OSError("No space left on device"), None)

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open = asyncio.Event()
        self.faults = 0
        self.downloads = 0
        fetch = GitHubBranch.fetch_older

        async def held(branch: GitHubBranch, token: GitToken) -> None:
            self.downloads += 1
            await self._open.wait()
            if self.downloads <= self.faults:
                if fault := self._FAULTS[self.downloads - 1]:
                    raise fault
                return  # as if GitHub had sent a part
            await fetch(branch, token)

        monkeypatch.setattr(GitHubBranch, "fetch_older", held)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def commits(tree: Path) -> int:
    return int(git("rev-list", "--count", "HEAD", at=tree))


async def whole(tree: Path) -> None:
    """Wait until nothing bounds the history."""
    async with asyncio.timeout(60):
        while (tree / ".git" / "shallow").exists():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
    # What follows it starts git once more, and a loop that closes meanwhile may wait for that for good on Python 3.11.
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=10)


async def test_older_commits_and_tags_follow_beside_the_session(shared: SharedBranch, gate: Gate) -> None:
    session = await shared.clone()
    tree = session.work_tree
    assert commits(tree) < int(git("rev-list", "--count", BRANCH, at=shared.github))
    assert "older commits" in session.missing().for_claude
    shared.commit(tree, "a.txt", "a\n")
    assert (await session.publish()).head_sha == shared.head()

    gate.open()
    await whole(tree)
    await session.bring_up_to_date()
    assert commits(tree) == int(git("rev-list", "--count", BRANCH, at=shared.github))
    assert git("describe", at=tree).startswith("v1.0-")
    assert git("fsck", "--strict", at=tree) == ""
    assert sorted(path.name for path in tree.parent.glob("*.git")) == ["repository.git"]
    shared.person_commits("theirs.txt", "x\n")
    shared.commit(tree, "b.txt", "b\n")
    assert (await session.publish()).head_sha == shared.head()
    assert {"a.txt", "b.txt", "theirs.txt"} <= shared.files()


async def test_a_fault_while_it_comes_ends_nothing(shared: SharedBranch, gate: Gate) -> None:
    gate.faults = 3
    gate.open()
    session = await shared.clone()
    await whole(session.work_tree)
    assert gate.downloads == 4
    assert session.missing() == NOTHING_NEW


@pytest.mark.usefixtures("gate")
async def test_what_came_between_turns_says_nothing_of_what_is_missing(shared: SharedBranch) -> None:
    session = await shared.clone()
    shared.person_commits("theirs.txt", "x\n")
    git("branch", "--quiet", "-D", BRANCH, at=shared.github)
    assert not (await session.bring_up_to_date()).for_claude  # else it counts as one that brought something
    assert session.missing().for_claude


async def test_what_people_pushed_is_put_together_once_the_whole_history_is_there(
    shared: SharedBranch, gate: Gate
) -> None:
    session = await shared.clone()
    shared.pull()
    git("checkout", "--quiet", "--detach", "v1.0", at=shared.person)
    long_ago = shared.commit(shared.person, "hotfix.txt", "x\n")
    git("checkout", "--quiet", BRANCH, at=shared.person)
    git("merge", "--quiet", "--no-edit", long_ago, at=shared.person)
    shared.push()

    updating = asyncio.create_task(session.bring_up_to_date())
    assert not (await asyncio.wait([updating], timeout=0.3))[0]
    gate.open()
    assert "others pushed 2 commits" in (await updating).for_claude


async def test_the_end_of_the_session_ends_its_fetch(shared: SharedBranch, gate: Gate) -> None:
    session = await shared.clone()
    coming = asyncio.create_task(session.fetch_beside())
    await asyncio.sleep(0)
    coming.cancel()
    await asyncio.wait([coming])
    gate.open()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (session.work_tree / ".git" / "shallow").exists()


async def test_without_it_a_session_goes_on_after_a_while(
    shared: SharedBranch, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(older_history, "_LONGEST_WAIT_SECONDS", 0.1)
    session = await shared.clone()
    theirs = shared.person_commits("theirs.txt", "x\n")
    shared.commit(session.work_tree, "a.txt", "a\n")
    assert (await session.publish()).head_sha == shared.head()
    assert git("merge-base", theirs, BRANCH, at=shared.github) == theirs
    assert gate.downloads == 1


async def test_it_is_waited_for_where_the_branch_met_the_default_branch_long_ago(
    shared: SharedBranch, gate: Gate
) -> None:
    for number in range(3):
        shared.main_commits(f"main{number}.txt", "x\n")
    cloning = asyncio.create_task(shared.clone())
    while not gate.downloads:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.02)
    assert not (await asyncio.wait([cloning], timeout=0.3))[0]
    gate.open()
    session = await cloning
    git("merge", "--quiet", "--no-edit", "github/main", at=session.work_tree)
    assert (await session.publish()).head_sha == shared.head()


async def test_a_short_history_is_there_at_once(tmp_path: Path, gate: Gate) -> None:
    shared = SharedBranch(tmp_path)
    session: GitWorkspace = await shared.clone()
    assert gate.downloads == 0
    assert session.missing() == NOTHING_NEW
    assert git("rev-parse", "--is-shallow-repository", at=session.work_tree) == "false"

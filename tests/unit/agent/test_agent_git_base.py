"""A branch that is for another than the default branch: that one is there, and what it has is its people's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.shared_branch import BRANCH, SharedBranch, git

from cloud_agent_runner.git import branch as branch_module
from cloud_agent_runner.git.changes import Diff
from cloud_agent_runner.git.credit import Credit

if TYPE_CHECKING:
    from pathlib import Path

BASE = "develop"


class Develop(SharedBranch):
    """The session's branch begins at `develop`, which has two commits more than `main`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        git("checkout", "--quiet", "-B", BASE, "origin/main", at=self.person)
        self.on_base("first.txt", "one\n")
        git("push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}", at=self.person)
        self.on_base("second.txt", "two\n")

    def on_base(self, name: str, content: str) -> str:
        """Commit a file to `develop`; return the commit."""
        git("checkout", "--quiet", BASE, at=self.person)
        commit = self.commit(self.person, name, content)
        git("push", "--quiet", "origin", BASE, at=self.person)
        return commit


@pytest.fixture
def shared(tmp_path: Path) -> Develop:
    return Develop(tmp_path)


@pytest.mark.parametrize("depth", [1, 50])
async def test_the_base_is_shown_beside_the_default_branch_and_kept_fresh(
    shared: Develop, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    monkeypatch.setattr(branch_module, "_LATEST_COMMITS", depth)
    workspace = await shared.clone(base=BASE)
    tree = workspace.work_tree
    main, first = (git("rev-parse", name, at=shared.github) for name in ("main", BASE))
    assert [git("rev-parse", f"github/{name}", at=tree) for name in ("main", BASE)] == [main, first]

    second = shared.on_base("third.txt", "three\n")
    await workspace.bring_up_to_date()

    assert git("rev-parse", f"github/{BASE}", at=tree) == second


async def test_only_the_base_can_be_in_conflict(shared: Develop) -> None:
    shared.person_commits("page.txt", "one\ntheirs\nthree\n")
    for_develop, for_main = await shared.clone("agent", base=BASE), await shared.clone("other")
    assert (await for_develop.conflicts(), await for_main.conflicts()) == (False, False)

    shared.on_base("page.txt", "one\nothers\nthree\n")
    for workspace in (for_develop, for_main):
        await workspace.bring_up_to_date()
    assert (await for_develop.conflicts(), await for_main.conflicts()) == (True, False)


async def test_what_claude_merges_of_the_base_stays_its_peoples_and_is_not_unpublished(shared: Develop) -> None:
    workspace = await shared.clone(base=BASE)
    await workspace.credit(Credit(trailers=("Claude-Session: https://09e22a8b.uat.example.com",)))
    theirs = git("rev-parse", f"github/{BASE}", at=workspace.work_tree)
    shared.commit(workspace.work_tree, "claude.txt", "mine\n")
    git("merge", "--quiet", "--no-edit", f"github/{BASE}", at=workspace.work_tree)
    assert await workspace.unpublished() == 2  # Claude's commit and the merge

    published = await workspace.publish()

    assert published.head_sha == shared.head()
    assert theirs in git("rev-list", BRANCH, at=shared.github).split()
    _, diff = await workspace.changes()
    assert diff == Diff(files=1, additions=1, deletions=0)


async def test_once_the_base_is_gone_the_default_branch_is_it(shared: Develop) -> None:
    workspace = await shared.clone(base=BASE)
    git("branch", "-D", BASE, at=shared.github)
    shared.person_commits("later.txt", "later\n")

    await workspace.bring_up_to_date()

    assert (workspace.work_tree / "later.txt").exists()
    assert await workspace.conflicts() is False


async def test_a_base_that_is_the_default_branch_is_no_other(shared: Develop) -> None:
    workspace = await shared.clone(base="main")
    refs = git("for-each-ref", "--format=%(refname)", "refs/remotes", at=workspace.work_tree).split()
    assert sorted(refs) == [f"refs/remotes/github/{BRANCH}", "refs/remotes/github/main"]


async def test_a_base_that_people_changed_is_shown_and_compared_with_from_the_next_turn_on(shared: Develop) -> None:
    shared.person_commits("page.txt", "one\ntheirs\nthree\n")
    workspace = await shared.clone(base="main")
    shared.on_base("page.txt", "one\nothers\nthree\n")
    assert workspace.follow_base("main").for_claude == workspace.follow_base("").for_claude == ""

    for _ in range(2):  # Claude's instructions name the first one, so that each turn says so
        said = workspace.follow_base(BASE).for_claude
        assert "`github/develop` is the branch to merge or rebase from" in said
        await workspace.bring_up_to_date()
    tree = workspace.work_tree
    assert git("rev-parse", f"github/{BASE}", at=tree) == git("rev-parse", BASE, at=shared.github)
    assert await workspace.conflicts()

    assert workspace.follow_base("main").for_claude == "The pull request is for main again."
    await workspace.bring_up_to_date()
    assert await workspace.conflicts() is False
    assert workspace.follow_base("main").for_claude == ""


async def test_a_base_that_is_known_only_later_is_no_change(shared: Develop) -> None:
    workspace = await shared.clone()
    assert workspace.follow_base(BASE).for_claude == ""
    await workspace.bring_up_to_date()
    assert git("rev-parse", f"github/{BASE}", at=workspace.work_tree) == git("rev-parse", BASE, at=shared.github)


async def test_a_base_that_cannot_be_had_yet_leaves_the_one_before(shared: Develop) -> None:
    workspace = await shared.clone(base=BASE)
    before = git("rev-parse", f"github/{BASE}", at=workspace.work_tree)
    broken = shared.github / "refs/heads/broken"
    broken.write_text("1" * 40 + "\n")
    workspace.follow_base("broken")

    await workspace.bring_up_to_date()

    assert git("rev-parse", f"github/{BASE}", at=workspace.work_tree) == before
    assert await workspace.conflicts() is False
    broken.write_text(git("rev-parse", "main", at=shared.github) + "\n")
    await workspace.bring_up_to_date()
    assert git("rev-parse", "github/broken", at=workspace.work_tree) == git("rev-parse", "main", at=shared.github)


async def test_a_new_base_that_is_gone_already_is_the_default_branch(shared: Develop) -> None:
    workspace = await shared.clone(base=BASE)
    shared.person_commits("later.txt", "later\n")
    workspace.follow_base("nowhere")

    await workspace.bring_up_to_date()

    assert (workspace.work_tree / "later.txt").exists()
    assert await workspace.conflicts() is False

"""Submodules, and without Git LFS its files' content, aren't in a session's copy, and that's said by name."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.kit.shared_branch import BRANCH, SharedBranch, git

from cloud_agent_runner.git import command, supplements
from cloud_agent_runner.git.left_out import LeftOut, WhyNot
from cloud_agent_runner.git.lfs import files
from cloud_agent_runner.git.publish_errors import PublishRefusedError
from cloud_agent_runner.git.update import NOTHING_NEW

if TYPE_CHECKING:
    from pathlib import Path

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345\n"


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedBranch:
    monkeypatch.setattr(supplements, "_HEAD_START_SECONDS", 60)
    return SharedBranch(tmp_path)


@pytest.fixture
def without_git_lfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that doesn't have the program."""
    monkeypatch.setattr(files, "HAS_GIT_LFS", False)
    monkeypatch.setattr(command, "_WORKSPACE_COMMAND", command._COMMAND)  # noqa: SLF001 - what it's without


def add_submodule(shared: SharedBranch, path: str) -> None:
    """Have the branch name a commit of another repository, as `git submodule add` does."""
    shared.pull()
    (shared.person / ".gitmodules").write_text(f'[submodule "x"]\n\tpath = {path}\n\turl = ext::sh -c touch% x\n')
    git("add", ".gitmodules", at=shared.person)
    git("update-index", "--add", "--cacheinfo", f"160000,{'12' * 20},{path}", at=shared.person)
    git("commit", "--quiet", "--message", "submodule", at=shared.person)
    shared.push()


async def test_a_submodule_is_named_once_to_claude_and_to_people(shared: SharedBranch) -> None:
    add_submodule(shared, "libs/engine")
    session = await shared.clone()
    update = session.missing()
    assert "folders are empty: `libs/engine` (its address isn't for HTTPS)." in update.for_claude
    assert update.for_people == "(This session doesn't have submodules: `libs/engine` (its address isn't for HTTPS).)"
    assert session.missing() == NOTHING_NEW


@pytest.mark.parametrize("has_commit", [True, False])
async def test_a_nested_repository_is_not_pushed_as_a_commit_that_nobody_has(
    shared: SharedBranch, *, has_commit: bool
) -> None:
    session, before = await shared.clone(), shared.head()
    tool = session.work_tree / "tool"
    git("init", "--quiet", str(tool), at=session.work_tree)
    (tool / "main.py").write_text("x\n")
    if has_commit:
        shared.commit(tool, "more.py", "x\n")

    why = (
        "at `tool` the commits point to another repository's" if has_commit else "`tool` is a Git repository of its own"
    )
    with pytest.raises(PublishRefusedError, match=why) as refused:
        await session.publish()

    assert "become part of this one" in refused.value.request
    assert shared.head() == before
    git("reset", "--quiet", "--soft", before, at=session.work_tree)  # as the request says
    git("rm", "--quiet", "--cached", "--ignore-unmatch", "-f", "tool", at=session.work_tree)
    shutil.rmtree(tool / ".git")
    await session.publish()
    assert shared.files() == {"page.txt", "tool/main.py", *["tool/more.py"] * has_commit}


async def test_a_submodule_that_is_not_here_is_not_looked_for_in_the_repository_around_it(shared: SharedBranch) -> None:
    add_submodule(shared, "libs/engine")
    session = await shared.clone()
    unpublished = shared.commit(session.work_tree, "a.txt", "a\n")
    git("reset", "--quiet", "--hard", "HEAD~1", at=session.work_tree)
    git("update-index", "--cacheinfo", f"160000,{unpublished},libs/engine", at=session.work_tree)
    git("commit", "--quiet", "--message", "Take a newer engine", at=session.work_tree)
    assert (await session.publish()).head_sha == shared.head()


async def test_a_session_beside_a_submodule_publishes_its_own_files_alone(shared: SharedBranch) -> None:
    add_submodule(shared, "libs/engine")
    session = await shared.clone()
    (session.work_tree / "a.txt").write_text("a\n")
    assert (await session.publish()).head_sha == shared.head()
    assert git("diff", "--name-only", "HEAD~1", "HEAD", at=session.work_tree) == "a.txt"


async def test_what_is_left_uncommitted_inside_a_submodule_stops_no_push(shared: SharedBranch) -> None:
    session = await shared.clone()
    engine = session.work_tree / "engine"
    git("init", "--quiet", str(engine), at=session.work_tree)
    shared.commit(engine, "gear.c", "one\n")
    shared.commit(session.work_tree, "a.txt", "a\n", "with a submodule")
    git("push", "--quiet", str(shared.github), f"HEAD:{BRANCH}", at=session.work_tree)  # as somebody who has it
    await session.bring_up_to_date()
    shared.commit(session.work_tree, "b.txt", "b\n", "beside it")
    (engine / "gear.c").write_text("two\n")
    assert (await session.publish()).head_sha == shared.head()
    assert shared.subjects()[0] == "beside it"


@pytest.mark.usefixtures("without_git_lfs")
async def test_pointers_of_git_lfs_are_named_and_files_that_only_mention_it_are_not(shared: SharedBranch) -> None:
    shared.person_commits("docs/.gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n")
    shared.person_commits("docs/page.png", POINTER)
    shared.person_commits("about.txt", f"A pointer begins with a line like this one:\n{POINTER}")
    update = (await shared.clone()).missing()
    assert "pointers: `docs/page.png`." in update.for_claude
    assert update.for_people == "(This session doesn't have the content of files in Git LFS: `docs/page.png`.)"


@pytest.mark.usefixtures("without_git_lfs")
async def test_a_whole_file_is_not_pushed_where_a_pointer_belongs(shared: SharedBranch) -> None:
    shared.person_commits(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n")
    shared.person_commits("old.png", "whole since long ago\n")
    session = await shared.clone()
    before = shared.head()
    shared.commit(session.work_tree, "page.txt", "changed\n")
    shared.commit(session.work_tree, "new.png", "whole\n")
    with pytest.raises(PublishRefusedError, match=r"keeps `new\.png` in Git LFS") as refused:
        await session.publish()
    assert (shared.head(), "new.png" in refused.value.request) == (before, True)

    git("reset", "--quiet", "--hard", "HEAD~1", at=session.work_tree)
    shared.commit(session.work_tree, "moved.png", POINTER)
    assert (await session.publish()).head_sha == shared.head()


async def test_a_whole_file_of_the_default_branch_may_be_merged(shared: SharedBranch) -> None:
    shared.main_commits(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n")
    shared.main_commits("old.png", "whole since long ago\n")
    session = await shared.clone()
    git("merge", "--quiet", "--no-edit", "github/main", at=session.work_tree)
    assert (await session.publish()).head_sha == shared.head()


async def test_without_git_lfs_nothing_is_said_of_it(shared: SharedBranch) -> None:
    shared.person_commits("fixture.txt", POINTER)
    assert (await shared.clone()).missing() == NOTHING_NEW


def test_names_are_few_and_nothing_but_names() -> None:
    unnamed = dict.fromkeys(["a`@pat` <!-- \n\u202e", *(f"m{number}" for number in range(6))], WhyNot.UNNAMED)
    some = LeftOut({"late": WhyNot.TOO_LATE, **unnamed}, ["p.bin"])
    names = "`a?@pat? <!-- ??`, `m0`, `m1`, `m2`, `m3` and 2 more (not in `.gitmodules`); `late` (too many or"
    assert names in some.for_claude
    assert some.for_people == (
        f"(This session doesn't have submodules: {names} too large to be fetched in time); nor the content of files in "
        "Git LFS: `p.bin`.)"
    )

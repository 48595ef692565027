"""Claude and people on one branch: a turn begins on what is there, and nothing is overwritten or brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.shared_branch import BRANCH, SharedBranch, git

from cloud_agent_runner.git.credit import Credit, Identity
from cloud_agent_runner.git.publish_errors import PublishFailedError, PublishRefusedError
from cloud_agent_runner.git.reconcile import KEPT, MERGED, REBASED, REPLAYED, REWRITTEN
from cloud_agent_runner.git.update import NOTHING_NEW

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.git.workspace import GitWorkspace


@pytest.fixture
def shared(tmp_path: Path) -> SharedBranch:
    return SharedBranch(tmp_path)


@pytest.fixture
async def workspace(shared: SharedBranch) -> GitWorkspace:
    return await shared.clone()


def head(workspace: GitWorkspace) -> str:
    return git("rev-parse", "HEAD", at=workspace.work_tree)


async def test_a_turn_begins_with_what_others_pushed(shared: SharedBranch, workspace: GitWorkspace) -> None:
    assert await workspace.bring_up_to_date() == NOTHING_NEW
    theirs = shared.person_commits("theirs.txt", "x\n")
    shared.person_commits("more.txt", "x\n")

    update = await workspace.bring_up_to_date()

    assert (workspace.work_tree / "theirs.txt").read_text() == "x\n"
    assert head(workspace) == shared.head() != theirs
    assert "others pushed 2 commits to claude/42" in update.for_claude
    assert update.for_people == ""
    assert (await workspace.publish()).head_sha is None


async def test_after_a_push_the_work_tree_has_the_branch_as_it_is_on_github(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    shared.commit(workspace.work_tree, "ours.txt", "x\n")
    shared.person_commits("theirs.txt", "x\n")

    published = await workspace.publish()

    assert published.head_sha == shared.head() == git("rev-parse", f"github/{BRANCH}", at=workspace.work_tree)


async def test_what_a_person_removed_stays_removed_and_it_is_said(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    shared.commit(workspace.work_tree, "secret.txt", "EXAMPLE\n")
    await workspace.publish()
    shared.person_removes()

    update = await workspace.bring_up_to_date()
    assert not (workspace.work_tree / "secret.txt").exists()
    assert "1 commit removed, 0 new. What was removed stays removed." in update.for_people
    assert (await workspace.publish()).head_sha is None
    shared.commit(workspace.work_tree, "a.txt", "a\n")
    await workspace.publish()
    assert shared.files() == {"page.txt", "a.txt"}


async def test_of_a_turns_work_only_what_was_never_published_is_put_on_a_branch_that_was_rewritten(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    tree = workspace.work_tree
    shared.commit(tree, "secret.txt", "EXAMPLE\n")
    await workspace.publish()
    shared.commit(tree, "new.txt", "new\n")
    (tree / "left.txt").write_text("left\n")
    shared.person_removes()

    published = await workspace.publish()

    assert published.note == REPLAYED
    assert shared.files() == {"page.txt", "new.txt", "left.txt"}
    assert head(workspace) == published.head_sha == shared.head()
    assert "change secret.txt" not in shared.subjects()


async def test_where_a_rule_forbids_merge_commits_the_turn_is_rebased_onto_what_others_pushed(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    hook = shared.github / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nread -r _ new _\n"
        'test -z "$(git rev-list --merges "$new" --not --all)" && exit 0\n'
        "echo '- This branch must not contain merge commits.' >&2\nexit 1\n"
    )
    hook.chmod(0o755)
    shared.commit(workspace.work_tree, "mine.txt", "x\n")
    theirs = shared.person_commits("theirs.txt", "x\n")

    published = await workspace.publish()

    assert published.note == REBASED
    assert shared.files() == {"page.txt", "mine.txt", "theirs.txt"}
    assert git("rev-parse", f"{published.head_sha}^", at=workspace.work_tree) == theirs
    assert head(workspace) == published.head_sha == shared.head()


async def test_work_that_does_not_apply_to_a_rewritten_branch_is_kept_aside(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    tree = workspace.work_tree
    shared.commit(tree, "page.txt", "one\n2\nthree\n")
    await workspace.publish()
    mine = shared.commit(tree, "page.txt", "one\n2 and more\nthree\n")
    shared.person_removes()

    with pytest.raises(PublishRefusedError, match=f"branch `unpublished-{mine[:7]}`") as refused:
        await workspace.publish()

    assert f"Don't merge `unpublished-{mine[:7]}`" in refused.value.request
    assert git("rev-parse", f"unpublished-{mine[:7]}", at=tree) == mine
    assert head(workspace) == shared.head()
    assert (tree / "page.txt").read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize("how", ["merge --quiet --no-edit", "reset --quiet --hard"])
async def test_a_removed_commit_that_claude_digs_out_again_does_not_return_as_it_was(
    shared: SharedBranch, workspace: GitWorkspace, how: str
) -> None:
    tree = workspace.work_tree
    removed = shared.commit(tree, "secret.txt", "EXAMPLE\n")
    await workspace.publish()
    shared.person_removes()
    theirs = shared.person_commits("theirs.txt", "x\n")
    await workspace.bring_up_to_date()
    git(*how.split(), removed, at=tree)
    shared.commit(tree, "a.txt", "a\n")

    assert (await workspace.publish()).head_sha == shared.head()
    ancestors = git("rev-list", BRANCH, at=shared.github).split()
    assert (theirs in ancestors, removed in ancestors) == (True, False)
    assert "a.txt" in shared.files()


async def test_what_claude_merged_and_a_person_took_back_meanwhile_does_not_return(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    shared.commit(workspace.work_tree, "page.txt", "one\nours\nthree\n")
    taken_back = shared.person_commits("page.txt", "one\ntheirs\nthree\n")
    assert "conflicts" in (await workspace.bring_up_to_date()).for_claude
    git("merge", "--quiet", "--no-edit", "-X", "theirs", f"github/{BRANCH}", at=workspace.work_tree)
    git("commit", "--quiet", "--amend", "--message", "theirs, in other words", at=shared.person)
    shared.push()

    await workspace.publish()

    assert taken_back not in git("rev-list", BRANCH, at=shared.github).split()
    assert shared.show("page.txt") == "one\ntheirs\nthree"


@pytest.mark.parametrize("others_stay", [True, False])
async def test_what_claude_merged_of_a_branch_that_was_never_taken_over_does_not_return_either(
    shared: SharedBranch, workspace: GitWorkspace, *, others_stay: bool
) -> None:
    shared.commit(workspace.work_tree, "claude.txt", "mine\n")
    stays = shared.person_commits("theirs.txt", "x\n") if others_stay else shared.head()
    taken_back = shared.person_commits("page.txt", "one\ntheirs\nthree\n")
    refusal = shared.refuse("no")
    with pytest.raises(PublishFailedError):
        await workspace.publish()
    refusal.unlink()
    git("reset", "--quiet", "--hard", "HEAD", at=workspace.work_tree)
    git("merge", "--quiet", "--no-edit", taken_back, at=workspace.work_tree)
    shared.person_removes()

    await workspace.publish()

    ancestors = git("rev-list", BRANCH, at=shared.github).split()
    assert (stays in ancestors, taken_back in ancestors) == (True, False)
    assert shared.show("page.txt") == "one\ntwo\nthree"
    assert shared.files() == {"claude.txt", "page.txt"} | ({"theirs.txt"} if others_stay else set())


async def test_the_default_branch_can_be_merged_again_after_somebody_took_its_merge_off_the_branch(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    main = shared.main_commits("main.txt", "x\n")
    shared.pull()
    git("merge", "--quiet", "--no-edit", "origin/main", at=shared.person)
    shared.push()
    await workspace.bring_up_to_date()
    shared.person_removes()
    await workspace.bring_up_to_date()
    git("merge", "--quiet", "--no-edit", "github/main", at=workspace.work_tree)

    assert (await workspace.publish()).note == ""
    assert main in git("rev-list", BRANCH, at=shared.github).split(), "GitHub sees that main is merged"


async def test_a_commit_that_claude_amends_is_pushed_without_a_word_of_others(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    tree = workspace.work_tree
    shared.commit(tree, "page.txt", "one\n2\nthree\n", "change two")
    await workspace.publish()
    (tree / "page.txt").write_text("one\nZWEI\nthree\n")
    git("commit", "--quiet", "--all", "--amend", "--message", "change two, better", at=tree)

    published = await workspace.publish()
    assert (published.head_sha, published.note) == (shared.head(), REWRITTEN)
    assert shared.subjects() == ["change two, better", "start", "first"]
    assert await workspace.bring_up_to_date() == NOTHING_NEW

    shared.commit(tree, "b.txt", "b\n")
    assert (await workspace.publish()).note == ""


async def test_what_claude_undoes_is_undone_on_github(shared: SharedBranch, workspace: GitWorkspace) -> None:
    before = shared.head()
    shared.commit(workspace.work_tree, "a.txt", "a\n")
    await workspace.publish()
    git("reset", "--quiet", "--hard", "HEAD~1", at=workspace.work_tree)
    assert (await workspace.publish()).head_sha == before == shared.head()


@pytest.mark.parametrize("when", ["before the turn", "during the turn"])
async def test_claude_rewrites_nothing_that_others_have_built_on(
    shared: SharedBranch, workspace: GitWorkspace, when: str
) -> None:
    tree = workspace.work_tree
    mine = shared.commit(tree, "a.txt", "a\n")
    await workspace.publish()
    if when == "before the turn":
        theirs = shared.person_commits("theirs.txt", "x\n")
        await workspace.bring_up_to_date()
        git("reset", "--quiet", "--soft", "HEAD~2", at=tree)
    else:
        git("reset", "--quiet", "--soft", "HEAD~1", at=tree)
        theirs = shared.person_commits("theirs.txt", "x\n")
    shared.commit(tree, "b.txt", "b\n", "all in one")

    published = await workspace.publish()

    assert shared.files() == {"page.txt", "a.txt", "b.txt", "theirs.txt"}
    ancestors = git("rev-list", BRANCH, at=shared.github).split()
    assert {mine, theirs} <= set(ancestors)
    assert published.note == (KEPT if when == "before the turn" else f"{KEPT} {MERGED}")
    assert head(workspace) == shared.head()


async def test_a_rule_against_force_pushes_is_kept_to(shared: SharedBranch, workspace: GitWorkspace) -> None:
    shared.commit(workspace.work_tree, "a.txt", "a\n", "worse")
    await workspace.publish()
    git("config", "receive.denyNonFastForwards", "true", at=shared.github)
    git("commit", "--quiet", "--amend", "--message", "better", at=workspace.work_tree)
    shared.commit(workspace.work_tree, "b.txt", "b\n")

    assert (await workspace.publish()).note == KEPT
    assert {"a.txt", "b.txt"} < shared.files()
    assert {"better", "worse"} < set(shared.subjects())


async def test_a_conflict_goes_to_claude_who_finds_the_other_side_in_the_work_tree(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    tree = workspace.work_tree
    theirs = shared.person_commits("page.txt", "one\ntheirs\nthree\n")
    shared.commit(tree, "page.txt", "one\nmine\nthree\n")
    with pytest.raises(PublishRefusedError, match="someone else pushed") as refused:
        await workspace.publish()
    assert f"Merge `github/{BRANCH}`" in refused.value.request
    assert shared.head() == theirs

    git("merge", "--quiet", "--strategy-option=ours", "--no-edit", f"github/{BRANCH}", at=tree)
    assert (await workspace.publish()).note == ""
    assert (shared.show("page.txt"), shared.head()) == ("one\nmine\nthree", head(workspace))


async def test_the_default_branch_is_there_to_merge_and_its_secrets_are_not_claudes(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    value = "shpat" + "_1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"
    theirs = shared.main_commits("tests/fixture.py", f'TOKEN = "{value}"\n')
    await workspace.bring_up_to_date()
    git("merge", "--quiet", "--no-edit", "github/main", at=workspace.work_tree)

    assert (await workspace.publish()).head_sha == shared.head()
    assert theirs in git("rev-list", BRANCH, at=shared.github)


async def test_the_branch_can_be_described_by_tags_old_and_new(shared: SharedBranch) -> None:
    git("tag", "--annotate", "--message=x", "v1.0", "main", at=shared.person)
    git("push", "--quiet", "origin", "v1.0", at=shared.person)
    workspace = await shared.clone()
    assert git("describe", at=workspace.work_tree).startswith("v1.0-1-g")

    git("tag", "--annotate", "--message=x", "v1.1", BRANCH, at=shared.person)
    git("push", "--quiet", "origin", "v1.1", at=shared.person)
    await workspace.bring_up_to_date()
    assert git("describe", at=workspace.work_tree) == "v1.1"


async def test_a_branch_that_was_deleted_is_not_made_again(shared: SharedBranch, workspace: GitWorkspace) -> None:
    shared.commit(workspace.work_tree, "a.txt", "a\n")
    git("branch", "--quiet", "-D", BRANCH, at=shared.github)
    assert "isn't on GitHub anymore" in (await workspace.bring_up_to_date()).for_people
    with pytest.raises(PublishFailedError, match="was deleted on GitHub"):
        await workspace.publish()
    assert git("branch", "--list", BRANCH, at=shared.github) == ""

    shared.push()
    assert (await workspace.publish()).head_sha == shared.head()


REFUSALS = {
    "GH001: Large files detected. You may want to try Git Large File Storage": "larger than GitHub accepts",
    "GH006: Protected branch update failed. Commits must have verified signatures.": "accepts signed commits only",
    "GH009: Secrets detected! This push failed.": "push protection found a secret",
    "GH013: Repository rule violations found for refs/heads/claude/42.": "A rule of the repository forbids it",
    "no commits on Fridays": "GitHub refused the commits",
}


@pytest.mark.parametrize("words", REFUSALS)
async def test_a_push_that_github_refuses_goes_to_claude_in_githubs_words_and_to_the_person_by_kind(
    shared: SharedBranch, workspace: GitWorkspace, words: str
) -> None:
    hook = shared.github / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho 'error: {words}' >&2\nexit 1\n")
    hook.chmod(0o755)
    shared.commit(workspace.work_tree, "a.txt", "a\n")

    with pytest.raises(PublishRefusedError, match=REFUSALS[words]) as refused:
        await workspace.publish()

    assert words in refused.value.request
    assert words in str(refused.value)
    assert "The commits are kept" in str(refused.value)
    assert await workspace.unpublished() == 1
    hook.unlink()
    assert (await workspace.publish()).head_sha == shared.head()
    assert await workspace.unpublished() == 0


@pytest.mark.parametrize(
    ("message", "credit"),
    [
        ("Say it better\n\nFixes #7", Credit()),
        (
            "Say it better",
            Credit(Identity("pat", "pat@example.com"), ("Claude-Session: https://0a1b2c3d.uat.example.com",)),
        ),
    ],
    ids=["it closes an issue", "its author is who Claude's commits are by"],
)
async def test_a_persons_commit_that_claude_merges_stays_as_it_is(
    shared: SharedBranch, message: str, credit: Credit
) -> None:
    session = await shared.clone()
    git("config", "user.name", "pat", at=shared.person)
    git("config", "user.email", "pat@example.com", at=shared.person)
    await session.credit(credit)
    shared.pull()
    theirs = shared.commit(shared.person, "page.txt", "one\ntheirs\nthree\n", message)
    shared.push()
    shared.commit(session.work_tree, "page.txt", "one\nmine\nthree\n")
    with pytest.raises(PublishRefusedError):
        await session.publish()
    git("merge", "--quiet", "-X", "ours", "--no-edit", f"github/{BRANCH}", at=session.work_tree)

    assert (await session.publish()).head_sha == shared.head()

    on_branch = git("rev-list", BRANCH, at=shared.github).split()
    assert theirs in on_branch
    assert len(on_branch) == 5  # first, start, theirs, mine, and the merge
    shared.commit(session.work_tree, "more.txt", "more\n")
    assert (await session.publish()).head_sha == shared.head()


async def test_what_claude_sees_of_github_is_put_right_whatever_happened_to_it(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    git("update-ref", "-d", "refs/remotes/github/main", at=workspace.work_tree)
    shared.person_commits("theirs.txt", "theirs\n")
    lock = workspace.work_tree / ".git" / "refs" / "remotes" / "github" / f"{BRANCH}.lock"
    lock.touch()
    await workspace.bring_up_to_date()
    assert git("rev-parse", "main", at=shared.github) == git("rev-parse", "github/main", at=workspace.work_tree)
    assert shared.head() != git("rev-parse", f"github/{BRANCH}", at=workspace.work_tree)

    lock.unlink()
    await workspace.bring_up_to_date()
    assert shared.head() == git("rev-parse", f"github/{BRANCH}", at=workspace.work_tree)


async def test_what_the_branch_is_at_is_no_news_but_what_it_was_at_is(shared: SharedBranch) -> None:
    session = await shared.clone()
    begun = shared.head()
    shared.commit(session.work_tree, "page.txt", "changed\n")
    assert session.has(begun)
    await session.publish()
    assert session.has(published := shared.head())
    shared.person_removes()
    assert (begun, False) == (shared.head(), session.has(begun))
    await session.bring_up_to_date()
    assert (session.has(begun), session.has(published)) == (True, False)


async def test_a_branch_that_cannot_be_merged_into_the_default_branch_is_known(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    shared.commit(workspace.work_tree, "page.txt", "mine\n2\nthree\n")
    await workspace.publish()
    assert not await workspace.conflicts()

    shared.main_commits("page.txt", "theirs\n2\nthree\n")
    await workspace.bring_up_to_date()

    assert await workspace.conflicts()


async def test_the_default_branch_that_a_turn_was_rebased_onto_stays_merged_though_a_person_rewrote_the_branch(
    shared: SharedBranch, workspace: GitWorkspace
) -> None:
    mains = shared.main_commits("main.txt", "x\n")
    await workspace.bring_up_to_date()
    shared.commit(workspace.work_tree, "mine.txt", "x\n")
    git("rebase", "--quiet", "github/main", at=workspace.work_tree)
    shared.pull()
    (shared.person / "theirs.txt").write_text("x\n")
    git("add", "--all", at=shared.person)
    git("commit", "--quiet", "--amend", "--no-edit", at=shared.person)
    shared.push()

    published = await workspace.publish()

    assert published.note == REPLAYED
    assert shared.files() == {"page.txt", "main.txt", "mine.txt", "theirs.txt"}
    assert mains in git("rev-list", "HEAD", at=workspace.work_tree).split()

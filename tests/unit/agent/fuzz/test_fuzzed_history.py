"""A person and Claude do what comes to their minds with one branch, and GitHub can't always be reached.

Whatever the sequence: nothing that a person has on the branch is lost, nothing that a person took off it comes back,
each of Claude's changes is on GitHub or still in the container with an error that says so, no other branch is touched,
no commit names another repository's that nobody has, and nobody is said to have done what nobody did.
`HISTORY_SEQUENCES` says how many are tried, `make fuzz` tries 160.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.kit.shared_branch import BRANCH, SharedBranch, git

from cloud_agent_runner.git import branch as branch_module
from cloud_agent_runner.git import older_history, push
from cloud_agent_runner.git.publish_errors import PublishFailedError, PublishRefusedError
from cloud_agent_runner.git.reconcile import MERGED, REPLAYED
from cloud_agent_runner.git.unfinished import UnfinishedError
from cloud_agent_runner.git.update import NOTHING_NEW

if TYPE_CHECKING:
    from cloud_agent_runner.git.push import Published
    from cloud_agent_runner.git.update import Update
    from cloud_agent_runner.git.workspace import GitWorkspace

SEQUENCES = int(os.environ.get("HISTORY_SEQUENCES", settings().max_examples // 25))
PERSONS_GIT = {
    "amend": ["add --all", "commit --quiet --amend --no-edit"],
    "remove": ["reset --quiet --hard HEAD~1"],
    "rebase": ["rebase --quiet origin/{default}"],
    "merge main": ["merge --quiet --no-edit origin/{default}"],
    "squash-merge": [
        "checkout --quiet --detach origin/{default}",
        f"merge --quiet --squash origin/{BRANCH}",
        "commit --quiet --allow-empty --message squashed",
        "push --quiet origin HEAD:{default}",
    ],
    "merge into main": [
        "checkout --quiet --detach origin/{default}",
        f"merge --quiet --no-ff --no-edit origin/{BRANCH}",
        "push --quiet origin HEAD:{default}",
    ],
}
ON_GITHUB = {
    "delete the branch": SharedBranch.delete_branch,
    "rename the branch": SharedBranch.rename_branch,
    "rename the default branch": SharedBranch.rename_default,
    "rename the repository": SharedBranch.rename_repository,
}
OF_MAIN = {"push to main", "squash-merge", "merge into main", "rename the default branch", "rename the repository"}
WITHOUT_THE_BRANCH = {"restore the branch", "rename the branch", *OF_MAIN - PERSONS_GIT.keys()}
CLAUDES_GIT = {
    "amend": ["add --all", "commit --quiet --amend --no-edit"],
    "reset": ["reset --quiet --hard HEAD~1"],
    "squash": ["reset --quiet --soft HEAD~2", "commit --quiet --message squash"],
    "rebase": ["rebase --quiet github/main"],
    "merge main": ["merge --quiet --no-edit github/main"],
    "merge theirs": [f"merge --quiet --no-edit -X theirs github/{BRANCH}"],
    "switch branch": ["checkout --quiet -B another"],
    "leave a file": [],
    "look at an older commit": ["checkout --quiet HEAD~1"],
}
# What a turn can end in the middle of, and what isn't finished where it conflicts.
LEFT = {
    "leave a rebase": "rebase --quiet github/main",
    "leave a merge": "merge --quiet --no-edit github/main",
    "leave a cherry-pick": "cherry-pick github/main",
    "leave a revert": "revert --no-edit HEAD~1",
}
# A repository of its own among Claude's files: what it has is given to nobody by a commit that names its commit.
NESTED = {
    "start a repository": ["init --quiet {0}"],
    "clone a repository": ["init --quiet {0}", "-C {0} commit --quiet --allow-empty --message first"],
    "add a work tree": ["worktree add --quiet --detach --no-checkout {0}"],
}
PERSON = ["push", "edit the page", *PERSONS_GIT, "delete the branch", *sorted(WITHOUT_THE_BRANCH)]
CLAUDE = [*CLAUDES_GIT, *LEFT, *NESTED, "commit", "edit the page", "work beside the branch"]
OWN_FILES = ("page.txt", "claude*", "person*", "nested*/claude*")
TURN = st.fixed_dictionaries(
    {
        "before": st.lists(st.sampled_from(PERSON), max_size=2),
        "claude": st.lists(st.sampled_from(CLAUDE), max_size=3),
        "during": st.lists(st.sampled_from(PERSON), max_size=2),
        "fault": st.sampled_from(["", "", "", "", "fetch", "push", "refused"]),
        "heeds": st.booleans(),
    }
)


def _turn(*claude: str, during: tuple[str, ...] = (), fault: str = "", heeds: bool = False) -> dict[str, Any]:
    return {"before": [], "claude": list(claude), "during": list(during), "fault": fault, "heeds": heeds}


# What the work tree shows of the branch after a push is what Claude merges, when GitHub can't be reached then.
AFTER_A_PUSH = [
    _turn("amend", "edit the page", "amend", during=("amend", "push")),
    _turn(),
    _turn("edit the page", "amend", "amend", during=("amend", "push")),
    _turn("merge theirs", "amend", fault="fetch"),
]

# What Claude commits in a rebase that it doesn't finish is nowhere else.
IN_A_REBASE = [
    _turn("edit the page", "amend", "edit the page"),
    _turn(during=("push", "remove"), heeds=True),
    _turn("edit the page", "leave a rebase", "amend") | {"before": ["squash-merge", "amend"]},
]

# Where Claude amends the very first commit, its branch has no commit in common with the one on GitHub.
WITH_ANOTHER_ROOT = [
    _turn("reset", "amend", during=("delete the branch",)),
    _turn("start a repository"),
    _turn(heeds=True),
]


class Colleagues:
    """The branch, with what a person has on it and has taken off it, and what Claude has added.

    Each change adds a word of its own to a file. `persons`, `removed` and `ever` are commits, `gone`, `made`, `claudes`
    and `of_main` words: what a person took off, what Claude wrote, what of that the work tree has and must be
    published, and what Claude took from the default branch.
    """

    def __init__(self, shared: SharedBranch, workspace: GitWorkspace) -> None:
        self.shared = shared
        self.workspace = workspace
        self.tree = workspace.work_tree
        self.numbers = itertools.count()
        self.known: dict[str, tuple[set[str], set[str], set[str]]] = {}
        self.persons: set[str] = set()
        self.has: set[str] = set()
        self.ever = self._branch()[0]
        self.removed: set[str] = set()
        self.gone: set[str] = set()
        self.claudes: set[str] = set()
        self.made: set[str] = set()
        self.of_main: set[str] = set()
        self.last_head = shared.head()
        self.acted = False

    # the person

    def person(self, what: str) -> None:
        """Do one thing to the branch on GitHub, unless it can't be done."""
        exists = self.shared.exists()
        if not exists and what not in WITHOUT_THE_BRANCH:
            return
        if exists:
            self.last_head = self.shared.head()
        before = self._branch() if exists else (set(), set())
        try:
            self._do(what)
        except subprocess.CalledProcessError:
            self._give_up(self.shared.person)
        if what in OF_MAIN:
            return
        if not self.shared.exists():
            self.acted = True
            return
        commits, words = self._branch()
        self.acted |= not exists or commits != before[0]
        self.persons |= commits - before[0] - self.ever
        self.has = commits & self.persons
        self.ever |= commits
        self.removed = (self.removed | (before[0] - commits)) - commits
        self.gone = (self.gone | (before[1] - words)) - words

    def _do(self, what: str) -> None:
        shared, at, number = self.shared, self.shared.person, next(self.numbers)
        if what == "push to main":
            shared.main_commits(f"main{number}.txt", f"word{number}\n")
            return
        if what in ON_GITHUB:
            ON_GITHUB[what](shared)
            return
        if what == "restore the branch":
            if not self.shared.exists():
                git("branch", "--quiet", BRANCH, self.last_head, at=shared.github)
            return
        shared.pull()
        if what == "push":
            shared.commit(at, f"person{number}.txt", f"word{number}\n")
        elif what == "edit the page":
            shared.commit(at, "page.txt", f"one\nword{number}\nthree\n")
        elif what != "remove" or shared.subjects()[0] not in {"start", "first"}:
            if what == "amend":
                (at / f"person{number}.txt").write_text(f"word{number}\n")
            _run([command.format(default=shared.default) for command in PERSONS_GIT[what]], at)
        if what not in OF_MAIN:
            shared.push()

    # Claude

    def claude(self, what: str) -> None:
        """Do one thing in the work tree, unless it can't be done."""
        tree, number = self.tree, next(self.numbers)
        self.made.add(f"word{number}")
        takes_back = what in {"reset", "look at an older commit", *LEFT}
        before = self._working_words()
        try:
            if what == "commit":
                self.shared.commit(tree, f"claude{number}.txt", f"word{number}\n")
            elif what == "edit the page":
                self.shared.commit(tree, "page.txt", f"one\nword{number}\nthree\n")
            elif what == "work beside the branch":
                git("checkout", "--quiet", "--detach", "github/main", at=tree)
                self.shared.commit(tree, f"claude{number}.txt", f"word{number}\n")
            elif what in LEFT:
                _try(LEFT[what], tree)
                self.of_main |= self._words(tree, "github/main")
            elif what in NESTED:
                _run([command.format(f"nested{number}") for command in NESTED[what]], tree)
                (tree / f"nested{number}" / f"claude{number}.txt").write_text(f"word{number}\n")
            else:
                if what in {"amend", "leave a file"}:
                    (tree / f"claude{number}.txt").write_text(f"word{number}\n")
                _run(CLAUDES_GIT[what], tree)
                if what in {"rebase", "merge main"}:  # who removes it from the branch has left it there
                    self.of_main |= self._words(tree, "github/main")
        except subprocess.CalledProcessError:
            self._give_up(tree)
        if takes_back:  # what comes back by it may give way to the rest, and to what a person has built on that
            self.made -= self._working_words() - before

    def finish(self) -> None:
        """End an operation, and have the branch checked out, with what was committed beside it on one of its own."""
        self._give_up(self.tree)
        _try("add --all --ignore-errors", self.tree)
        git("commit", "--quiet", "--allow-empty", "--message", "the rest", at=self.tree)
        git("branch", "--force", "beside", at=self.tree)
        git("checkout", "--quiet", "--force", BRANCH, at=self.tree)

    async def heed(self, refused: PublishRefusedError) -> None:
        """Do as a refusal asks: no commit has the repositories anymore, and their files are ordinary ones."""
        tree, nested = self.tree, self._nested()
        async with asyncio.timeout(60):  # until the older history is there, one may seem to have no base
            while (tree / ".git" / "shallow").exists():  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.1)
        mixed = self.gone & self._working_words()  # one commit has all of it then: it may come back with that, or go
        self.gone, self.made = self.gone - mixed, self.made - mixed
        base = refused.request.partition("every commit after ")[2].split()[0]
        if related := _output("merge-base", "HEAD", base, at=tree):
            git("reset", "--quiet", "--soft", related, at=tree)
        else:  # Claude has amended the very first commit
            git("update-ref", "-d", "HEAD", at=tree)
        git("rm", "--quiet", "--cached", "--ignore-unmatch", "-f", *nested, at=tree)
        for name in nested:
            own = tree / name / ".git"
            own.unlink() if own.is_file() else shutil.rmtree(own)
        git("add", "--all", at=tree)
        git("commit", "--quiet", "--allow-empty", "--message", "have the files", at=tree)

    # a turn

    async def turn(self, turn: dict[str, Any]) -> None:
        """Have Claude work, with a person doing something before it and during it."""
        for what in turn["before"]:
            self.person(what)
        acted_before, self.acted = self.acted, False
        with self._fault(turn["fault"] == "fetch"):
            update = await self.workspace.bring_up_to_date()
        self._check_words(update, acted_before)
        # What a person did is news for as long as the session can't know it, or Claude's branch doesn't have it.
        is_behind = turn["fault"] == "fetch" or "couldn't be brought up to date" in update.for_people
        late = acted_before and (is_behind or not self._has_news())
        known, started = self._words(self.tree, "HEAD"), git("rev-parse", "HEAD", at=self.tree)
        for what in turn["claude"]:
            self.claude(what)
        self.gone -= self._working_words() - known  # what Claude has written again isn't a return by mistake
        for what in turn["during"]:
            self.person(what)
        acted = self.acted or late
        refused = await self._publish(turn["fault"], started, acted=acted, heeds=turn["heeds"])
        if refused and turn["heeds"]:
            await self.heed(refused)
            refused = await self._publish(turn["fault"], started, acted=acted, heeds=True)
            assert not refused, "it has been heeded"

    async def _publish_settled(self, *, heeds: bool) -> Published:
        """Publish, once what is half done is finished by Claude, or undone."""
        try:
            return await self.workspace.publish()
        except UnfinishedError as error:
            if heeds:
                self.finish()
                return await self.workspace.publish()
            published = await self.workspace.publish(undo=True)
            if self.workspace.undone() == NOTHING_NEW:
                pytest.fail(f"nobody is told: {error}")
            return published
        finally:
            assert not self._is_half_done(), "nothing half done stays"

    async def _publish(self, fault: object, started: str, *, acted: bool, heeds: bool) -> PublishRefusedError | None:
        """Publish, and return the refusal of repositories among Claude's files if that's what it comes to."""
        hook = self.shared.github / "hooks" / "pre-receive"
        if fault == "refused":
            hook.parent.mkdir(exist_ok=True)
            hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
            hook.chmod(0o755)
        working = self._working_words()
        new = git("rev-list", "github/main", f"^{started}", at=self.tree).split()
        has = BRANCH if (self.tree / ".git" / "rebase-merge").exists() else "HEAD"  # it's undone, or finished first
        merged = set(new).intersection(git("rev-list", has, at=self.tree).split() if new else ())
        self.claudes = (self.made & working) - self.gone
        existed, others, refused = self.shared.exists(), self.shared.other_refs(), None
        try:
            with self._fault(fault == "push"):
                published = await self._publish_settled(heeds=heeds)
        except PublishFailedError as error:
            assert self.claudes <= self._kept_words(), "what isn't published is in the container"
            if isinstance(error, PublishRefusedError) and any(f"`{name}`" in str(error) for name in self._nested()):
                refused = error
        else:
            self.acted = False
            if published.head_sha:
                assert published.head_sha == self.shared.head()
            if not acted:
                assert MERGED not in published.note, "nobody pushed"
                assert REPLAYED not in published.note, "nobody rewrote the branch"
            if self.shared.exists():
                commits, words = self._beside()
                assert self.claudes <= self._branch()[1] | words, "each of Claude's changes is on GitHub"
                assert merged <= self._branch()[0] | commits, "what Claude merged is merged"
        finally:
            hook.unlink(missing_ok=True)
        self.acted |= acted
        assert (existed, others) == (self.shared.exists(), self.shared.other_refs()), "no other branch is touched"
        self.check()
        return refused

    def check(self) -> None:
        """Hold what has to be so at any moment."""
        if self.shared.exists():
            commits, words = self._branch()
            self.ever |= commits
            assert self.has <= commits, "nothing of a person's is lost"
            if returned := self.removed & commits:
                in_main = git("rev-list", self.shared.default, at=self.shared.github).split()
                assert not returned.difference(in_main), "no commit that a person removed returns"
            if returned := self.gone & words:
                assert not returned - self.of_main, "no change that a person removed returns"
            assert "160000" not in self._at(self.shared.head())[2], "no commit of another repository"

    def _check_words(self, update: Update, acted: object) -> None:
        if not acted:
            assert "others pushed" not in update.for_claude
            assert "rewritten" not in update.for_claude

    # what there is

    def _branch(self) -> tuple[set[str], set[str]]:
        commits, words, _ = self._at(self.shared.head())
        return commits, words

    def _at(self, head: str) -> tuple[set[str], set[str], set[str]]:
        """Return a commit's history on GitHub, the words of its files, and their modes: a sha stands for all of it."""
        if head not in self.known:
            github = self.shared.github
            commits = set(git("rev-list", head, at=github).split())
            modes = {line.split()[0] for line in git("ls-tree", "-r", head, at=github).splitlines()}
            self.known[head] = (commits, self._words(github, head), modes)
        commits, words, modes = self.known[head]
        return set(commits), set(words), modes

    def _words(self, at: Path, commit: str) -> set[str]:
        """Return the words of the branch's own files and of the page."""
        return set(_output("grep", "-h", "-o", "-E", "word[0-9]+", commit, "--", *OWN_FILES, at=at).split())

    def _has_news(self) -> bool:
        """Return whether what Claude has checked out has all that's on the branch."""
        return self.shared.exists() and self.shared.head() in git("rev-list", "HEAD", at=self.tree).split()

    def _working_words(self) -> set[str]:
        files = [path for pattern in OWN_FILES for path in self.tree.glob(pattern)]
        return {word for path in files for word in path.read_text().split() if word.startswith("word")}

    def _beside(self) -> tuple[set[str], set[str]]:
        """Return the commits that were made beside the branch, which is said, and the words of their files."""
        patterns = ("refs/heads/unpublished-*", "refs/heads/beside")
        refs = git("for-each-ref", "--format=%(refname)", *patterns, at=self.tree).split()
        commits = git("rev-list", *refs, at=self.tree).split() if refs else []
        return set(commits), set[str]().union(*(self._words(self.tree, ref) for ref in refs))

    def _is_half_done(self) -> bool:
        return git("rev-parse", "--abbrev-ref", "HEAD", at=self.tree) != BRANCH or bool(
            git("ls-files", "--unmerged", at=self.tree)
        )

    def _nested(self) -> list[str]:
        return [path.parent.name for path in self.tree.glob("nested*/.git")]

    def _kept_words(self) -> set[str]:
        refs = git("for-each-ref", "--format=%(refname)", "refs/heads", at=self.tree).split()
        return self._working_words().union(*(self._words(self.tree, ref) for ref in refs))

    def _fault(self, down: bool) -> _Down:  # noqa: FBT001 - read with its call
        return _Down(self.shared.github, down=down)

    def _give_up(self, at: Path) -> None:
        for operation in ("rebase", "merge", "cherry-pick", "revert"):
            _try(f"{operation} --abort", at)


def _run(commands: list[str], at: Path) -> None:
    for command in commands:
        git(*command.split(), at=at)


def _output(*arguments: str, at: Path) -> str:
    """Return what git answers, nothing where it finds nothing."""
    done = subprocess.run(["git", *arguments], cwd=at, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _try(command: str, at: Path) -> None:
    with suppress(subprocess.CalledProcessError):
        git(*command.split(), at=at)


class _Down:
    """GitHub's repository, out of reach for a while."""

    def __init__(self, repository: Path, *, down: bool) -> None:
        self._down = down
        self._here, self._away = repository, repository.with_suffix(".away")

    def __enter__(self) -> None:
        if self._down:
            self._here.rename(self._away)

    def __exit__(self, *_: object) -> Literal[False]:
        if self._down:
            self._away.rename(self._here)
        return False


@settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=list(HealthCheck))
@given(turns=st.lists(TURN, min_size=1, max_size=4), depth=st.sampled_from([1, 50]))
@example(turns=AFTER_A_PUSH, depth=1)
@example(turns=IN_A_REBASE, depth=1)
@example(turns=WITH_ANOTHER_ROOT, depth=1)
def test_nothing_is_lost_and_nothing_that_was_removed_returns(turns: list[dict[str, Any]], depth: int) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            shared = SharedBranch(Path(folder))
            workspace = await shared.clone()
            older = asyncio.create_task(workspace.fetch_beside())
            try:
                colleagues = Colleagues(shared, workspace)
                for turn in turns:
                    await colleagues.turn(turn)
            finally:
                older.cancel()
                await asyncio.wait([older])

    async def nothing_found(*_: object) -> list[object]:
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(push, "_PAUSE_SECONDS", 0)
        patch.setattr(older_history, "_HEAD_START_SECONDS", 0)
        patch.setattr(older_history, "_PAUSE_SECONDS", 0.1)
        patch.setattr(branch_module, "_LATEST_COMMITS", depth)
        patch.setattr("cloud_agent_runner.git.push_checks.scan_for_secrets", nothing_found)
        try:
            asyncio.run(run())
        except Exception as error:  # Hypothesis doesn't print what it has shortened for five minutes
            error.add_note(f"turns={turns!r}, depth={depth}")
            raise

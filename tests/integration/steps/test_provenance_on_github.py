"""However the branches of two sessions cross on a real GitHub, no comment ever lists another's commit."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.turn_results import TurnResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.steps.github import Clone, GitHub
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession

BECAUSE = "because the pull request's title or a commit message says so."


class Sessions:
    """Two sessions, "one" and "two", of one repository, and a clone in which their branches and main are worked on.

    Every file that a session adds has the session's name in its own, and so has the commit's message.
    """

    def __init__(self, steps: Steps, github: GitHub, repo: str, work: Clone) -> None:
        self.steps, self.github, self.repo, self.work = steps, github, repo, work
        self.of: dict[str, RequestedSession] = {}
        self._numbers = itertools.count(1)
        for name in ("one", "two"):
            self.of[name] = steps.claim(repo)
            steps.run_up_to("announce_session", self.of[name])
            steps.change(self.of[name], status="RUNNING")
        work.run("fetch", "--quiet")
        for name, session in self.of.items():
            work.run("checkout", "--quiet", "-b", name, f"origin/{session.branch}")

    def on(self, name: str) -> None:
        self.work.run("checkout", "--quiet", name)

    def work_on(self, name: str) -> None:
        """One more commit, without a push."""
        self.on(name)
        self.work.commit(f"{name}-{next(self._numbers)}")

    def main_moves(self) -> None:
        self.work_on("main")
        self.work.push("main")

    def turn_ends(self, name: str, *, told: bool = True) -> None:
        """The branch is pushed, and unless the news is late the stream is told of the turn."""
        self.on(name)
        session = self.of[name]
        self.steps.change(session, reported_head_sha=self.work.push(session.branch))
        if told:
            self.tell(name)

    def tell(self, name: str) -> None:
        session, prompt_id = self.of[name], f"{next(self._numbers):026d}"
        head = (self.steps.row(session) or {})["reported_head_sha"]
        answer = TurnResult(
            prompt_id=prompt_id, is_error=False, result="", head_sha=head, created_at="2026-11-22T10:00:00Z"
        )
        Prompts("sessions").record_turn_result(session.session_id, answer)
        self.steps.publish(session, f"TURN_RESULT#{prompt_id}")
        self.check()

    def check(self) -> None:
        """Nothing of main or of the other session stands in any comment of a session's pull request."""
        for name, session in self.of.items():
            number = (self.steps.row(session) or {})["pull_number"]
            listed = [line for text in self.github.comments(self.repo, number) for line in text.splitlines()]
            foreign = [line for line in listed if re.search(r"\bAdd \w+-", line) and f"Add {name}-" not in line]
            assert foreign == []

    def listed(self, name: str) -> int:
        """How many commits the session's status comment lists."""
        return sum(f"Add {name}-" in line for line in self.status(name).splitlines())

    def status(self, name: str) -> str:
        """The session's status comment."""
        number = (self.steps.row(self.of[name]) or {})["pull_number"]
        (status,) = (t for t in self.github.comments(self.repo, number) if ":session:" in t.splitlines()[0])
        return status


@pytest.fixture
def sessions(steps: Steps, github: GitHub, repo: str, clone: Callable[[str], Clone]) -> Sessions:
    sessions = Sessions(steps, github, repo, clone(repo))
    for name in ("one", "two"):
        sessions.work_on(name)
        sessions.turn_ends(name)
    return sessions


def test_no_message_hides_a_commit_that_changes_files(sessions: Sessions) -> None:
    initial = "chore: initialize Claude agent session for #"
    sessions.work_on("one")
    sessions.work.run("commit", "--quiet", "--amend", "-m", f"{initial}9")
    sessions.work.run("commit", "--quiet", "--allow-empty", "-m", f"{initial}{sessions.of['one'].issue_number}")
    sessions.work_on("one")
    sessions.turn_ends("one")
    status = sessions.status("one")
    assert ("**3 commits on this branch**" in status, status.count("chore: initialize")) == (True, 1)


def test_each_commit_names_its_author_unless_that_is_claude(sessions: Sessions) -> None:
    sessions.work_on("one")
    sessions.work.run("commit", "--quiet", "--amend", "--no-edit", "--author", "Claude <noreply@anthropic.com>")
    sessions.work_on("one")
    sessions.work.run("commit", "--quiet", "--amend", "--no-edit", "--author", "@octo-dev #1 <octo@example.com>")
    sessions.turn_ends("one")
    newest, of_claude, *_ = [line for line in sessions.status("one").splitlines() if line.startswith("- [")]
    assert re.search(r" Add one-\d+ · by @\u2060octo-dev #\u20601$", newest.replace("\\", ""))
    assert re.search(r" Add one-\d+$", of_claude)


def test_what_a_commit_message_closes_is_said_even_of_one_that_was_merged_in(sessions: Sessions) -> None:
    sessions.on("one")
    sessions.work.run("checkout", "--quiet", "-b", "side")
    sessions.work.run("commit", "--quiet", "--allow-empty", "-m", "Tidy up\n\nFixes #77")
    sessions.work_on("one")
    sessions.work.run("merge", "--quiet", "--no-ff", "-m", "Add one-side", "side")
    sessions.turn_ends("one")
    assert (
        "**Merging closes \\#\u206077**, because the pull request's title or a commit message says so."
        in sessions.status("one")
    )
    sessions.work.run("push", "--quiet", "origin", "HEAD:main")
    sessions.work_on("one")
    sessions.turn_ends("one")
    assert "Merging closes" not in sessions.status("one")


def test_merges_of_main_and_of_the_other_branch(sessions: Sessions) -> None:
    sessions.main_moves()
    sessions.on("one")
    sessions.work.run("merge", "--quiet", "--no-edit", "main")
    sessions.turn_ends("one")
    sessions.on("two")
    sessions.work.run("merge", "--quiet", "--no-edit", "one")
    sessions.work_on("two")
    sessions.turn_ends("two")
    assert (sessions.listed("one"), sessions.listed("two")) == (1, 2)


@pytest.mark.parametrize("told", [True, False], ids=["known", "not yet known"])
def test_a_fast_forward_to_the_other_branch(sessions: Sessions, *, told: bool) -> None:
    sessions.work_on("one")
    sessions.turn_ends("one", told=told)
    sessions.on("two")
    sessions.work.run("reset", "--quiet", "--hard", "one")
    sessions.work_on("two")
    sessions.turn_ends("two")
    sessions.tell("one")
    assert (sessions.listed("one"), sessions.listed("two")) == (2, 1)
    assert "2 more commits on this branch aren't listed" in sessions.status("two")
    assert "more commit" not in sessions.status("one")


def test_the_commits_of_a_branch_that_is_gone_stay_its_own(sessions: Sessions, github: GitHub) -> None:
    github.call("DELETE", f"/repos/{sessions.repo}/git/refs/heads/{sessions.of['one'].branch}")
    sessions.on("two")
    sessions.work.run("reset", "--quiet", "--hard", "one")
    sessions.work_on("two")
    sessions.turn_ends("two")
    assert sessions.listed("two") == 1


@pytest.mark.parametrize("options", [[], ["--no-keep-empty"]], ids=["with", "without the initial commit"])
@pytest.mark.parametrize("onto", ["main", "one"])
def test_a_rebase_onto_main_or_onto_the_other_branch(sessions: Sessions, onto: str, options: list[str]) -> None:
    sessions.main_moves()
    sessions.work_on("one")
    sessions.turn_ends("one", told=False)
    sessions.on("two")
    sessions.work.run("rebase", "--quiet", *options, onto)
    sessions.work_on("two")
    sessions.turn_ends("two")
    sessions.tell("one")
    assert (sessions.listed("one"), sessions.listed("two")) == (2, 2)
    sessions.on("one")
    sessions.work.run("rebase", "--quiet", "two")
    sessions.turn_ends("one")
    sessions.on("two")
    sessions.work.run("merge", "--quiet", "--no-edit", "one")
    sessions.turn_ends("two")


def test_a_foxtrot_merge_puts_the_other_branch_in_the_place_of_its_own(sessions: Sessions) -> None:
    sessions.work_on("one")
    sessions.turn_ends("one", told=False)
    sessions.on("one")
    sessions.work.run("checkout", "--quiet", "-b", "mixed")
    sessions.work.run("merge", "--quiet", "--no-edit", "two")
    sessions.on("two")
    sessions.work.run("reset", "--quiet", "--hard", "mixed")
    sessions.turn_ends("two")
    sessions.tell("one")
    assert sessions.listed("one") == 2


def test_history_that_is_made_one_commit_and_forced_is_still_listed(sessions: Sessions) -> None:
    sessions.work_on("two")
    sessions.main_moves()
    sessions.on("two")
    sessions.work.run("reset", "--quiet", "--soft", "main")
    sessions.work.run("commit", "--quiet", "-m", "Add two-squashed")
    sessions.turn_ends("two")
    assert sessions.listed("two") == 1


def test_a_branch_that_is_deleted_after_its_merge_keeps_its_commits_listed(sessions: Sessions, github: GitHub) -> None:
    session = sessions.of["one"]
    github.merge(sessions.repo, session.branch)
    github.call("DELETE", f"/repos/{sessions.repo}/git/refs/heads/{session.branch}")
    sessions.steps.run("close_session", session, status="COMPLETED", reason="The pull request was merged.")
    assert sessions.listed("one") == 1

"""A pull request whose base a person changed is its session's all the same, and what that says and compares follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.steps.test_branch_names import followed_by

if TYPE_CHECKING:
    from tests.integration.steps.github import GitHub, Json
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession


class Retargeted:
    """A session with a commit, whose pull request a person has made one for `release`."""

    def __init__(self, steps: Steps, github: GitHub, repo: str) -> None:
        self.steps, self.github, self.repo = steps, github, repo
        self.session = steps.claim(repo, issue_key="42", branch="claude/42")
        self.steps.run("create_branch", self.session)
        self.number: int = steps.run("open_draft_pull_request", self.session)["pull_number"]
        self.work = github.add_commit(repo, "claude/42", "Show the menu")
        github.call("POST", f"/repos/{repo}/git/refs", ref="refs/heads/release", sha=github.branches(repo)["main"])
        github.add_commit(repo, "main", "Meanwhile on main")
        self.change_base(self.number, "release")

    def change_base(self, number: int, base: str) -> None:
        self.github.call("PATCH", f"/repos/{self.repo}/pulls/{number}", base=base)

    def next(self) -> RequestedSession:
        """The issue's next session, which has its branch."""
        again = followed_by(self.session)
        self.steps.put_row(again)
        self.steps.run("create_branch", again)
        return again

    def row(self, session: RequestedSession) -> Json:
        return self.steps.row(session) or {}


@pytest.fixture
def changed(steps: Steps, github: GitHub, repo: str) -> Retargeted:
    return Retargeted(steps, github, repo)


def test_the_next_session_goes_on_with_it_and_has_its_base(changed: Retargeted) -> None:
    again = changed.next()
    for _ in range(2):
        opened = changed.steps.run("open_draft_pull_request", again)
        assert (opened["pull_number"], opened["base_branch"]) == (changed.number, "release")
    assert [pull["number"] for pull in changed.github.pulls(again)] == [changed.number]
    assert changed.row(again)["base_branch"] == "release"
    assert changed.github.branches(changed.repo)["claude/42"] == changed.work
    before = changed.row(changed.session)
    assert (changed.row(again)["base_sha"], changed.row(again)["initial_sha"]) == (
        before["base_sha"],
        before["initial_sha"],
    )


def test_a_session_has_the_default_branch_as_its_base_where_nobody_changed_it(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    steps.run("create_branch", session)
    assert steps.run("open_draft_pull_request", session)["base_branch"] == "main"
    assert (steps.row(session) or {})["base_branch"] == "main"
    assert github.pulls(session)[0]["base"]["ref"] == "main"


@pytest.mark.parametrize("theirs", ["main", "release"])
def test_what_people_opened_from_the_branch_is_not_taken_for_the_sessions_own(changed: Retargeted, theirs: str) -> None:
    if theirs == "release":
        changed.change_base(changed.number, "main")
    other = {"title": "Backport", "head": "claude/42", "base": theirs}
    changed.github.call("POST", f"/repos/{changed.repo}/pulls", **other)

    assert changed.steps.run("open_draft_pull_request", changed.next())["pull_number"] == changed.number


def test_once_it_is_merged_there_the_next_session_starts_from_the_default_branch(changed: Retargeted) -> None:
    (pull,) = changed.github.pulls(changed.session)
    changed.github.squash(pull)

    again = changed.next()

    assert changed.row(again)["base_sha"] == changed.github.branches(changed.repo)["main"]
    opened = changed.steps.run("open_draft_pull_request", again)
    assert (opened["pull_number"] == changed.number, opened["base_branch"]) == (False, "main")


def test_the_sessions_commits_are_listed_as_before(changed: Retargeted) -> None:
    again = changed.next()
    changed.steps.run("open_draft_pull_request", again)
    comment = changed.github.comments(changed.repo, changed.number)[-1]
    assert "Show the menu" in comment
    assert "Meanwhile on main" not in comment

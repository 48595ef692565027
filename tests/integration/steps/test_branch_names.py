"""A session's branch has a name of its own, whatever branches people have: none of theirs is moved or taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_agent.adapters.github.connection import connect
from cloud_agent.adapters.table.branches import Branches
from cloud_agent.adapters.table.keys import branch_key
from cloud_agent.domain.errors import NoFreeBranchNameError
from cloud_agent.settings import GitHubSettings, load
from cloud_agent.webhook.launch import with_branches

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.steps.github import Clone, GitHub
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession


def somebodys(github: GitHub, repo: str, branch: str, *, commit: bool = True) -> str:
    """A branch that a person pushed, with a commit of theirs or where main is; returns its head."""
    main = github.branches(repo)["main"]
    github.call("POST", f"/repos/{repo}/git/refs", ref=f"refs/heads/{branch}", sha=main)
    return github.add_commit(repo, branch, "Somebody's work") if commit else main


def followed_by(session: RequestedSession) -> RequestedSession:
    """The next session of the same issue."""
    new = {"session_id": f"f{session.session_id[1:]}", "previous_session_id": session.session_id}
    return session.model_copy(update=new)


@pytest.mark.parametrize(
    ("theirs", "key", "branch"),
    [
        ("claude", "42", "claude-42"),
        ("claude/42", "42", "claude/42-2"),
        ("claude/42/menu", "42", "claude/42-2"),
        ("claude/AGNTS-124", "AGNTS-124", "claude/agnts-124-2"),
        ("claude/agnts-124", "AGNTS-124", "claude/agnts-124-2"),
    ],
)
@pytest.mark.parametrize("commit", [True, False], ids=["with work", "where main is"])
def test_where_a_persons_branch_is_in_the_way_a_free_name_is_taken_and_found_again(  # noqa: PLR0913, PLR0917 - a row
    steps: Steps, github: GitHub, repo: str, theirs: str, key: str, branch: str, *, commit: bool
) -> None:
    head = somebodys(github, repo, theirs, commit=commit)
    session = steps.claim(repo, issue_key=key, branch=f"claude/{key.lower()}")

    first = steps.run("create_branch", session)
    ours = github.branches(repo)[branch]

    assert first["branch"] == branch
    assert steps.run("create_branch", session) == first
    assert github.branches(repo) == {"main": first["base_sha"], theirs: head, branch: ours}
    row = steps.row(session) or {}
    assert (row["branch"], row["blocking_branch"], row["initial_sha"]) == (branch, theirs, ours)


@pytest.mark.parametrize("theirs", ["Claude/42", "CLAUDE/42", "CLAUDE/42/menu"])
def test_a_branch_that_differs_in_case_is_read_with_the_issue_and_is_in_the_way(
    steps: Steps, github: GitHub, repo: str, theirs: str
) -> None:
    somebodys(github, repo, theirs)
    session = steps.claim(repo, issue_key="42", branch="claude/42")
    reader = connect(load(GitHubSettings), session.repository).conversation
    issue = reader.issue(session.issue_number, session.branch, ())
    assert issue is not None

    requested = with_branches(session, issue)

    expected = "claude/42" if theirs.endswith("menu") else "claude/42-2"  # only names that are as long are asked for
    assert steps.run("create_branch", requested)["branch"] == expected
    assert requested.similar_branches == (() if theirs.endswith("menu") else (theirs,))


def test_a_branch_in_other_case_that_came_later_takes_nothing_from_the_issues_sessions(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo, issue_key="AGNTS-124", branch="claude/agnts-124")
    steps.run("create_branch", session)
    work = github.add_commit(repo, session.branch, "Show the menu")
    somebodys(github, repo, "claude/AGNTS-124")
    again = followed_by(session).model_copy(update={"similar_branches": ("claude/AGNTS-124",)})
    steps.put_row(again)

    assert steps.run("create_branch", again)["branch"] == session.branch
    assert github.branches(repo)[session.branch] == work


def test_several_names_that_are_taken_are_passed_over(steps: Steps, github: GitHub, repo: str) -> None:
    taken = ("claude/42", "claude/42-2", "claude/42-3/menu")
    heads = {branch: somebodys(github, repo, branch) for branch in taken}
    session = steps.claim(repo, issue_key="42", branch="claude/42")

    assert steps.run("create_branch", session)["branch"] == "claude/42-4"
    assert heads.items() <= github.branches(repo).items()


def test_a_name_that_another_issues_session_has_is_passed_over(steps: Steps, github: GitHub, repo: str) -> None:
    somebodys(github, repo, "claude/42")
    session = steps.claim(repo, issue_key="42", branch="claude/42")
    Branches("sessions").claim(session.repository_id, "claude/42-2", session.issue_number + 1, "0" * 40)

    assert steps.run("create_branch", session)["branch"] == "claude/42-3"


def test_a_branch_whose_creation_went_unnoticed_is_found_again(steps: Steps, github: GitHub, repo: str) -> None:
    somebodys(github, repo, "claude/42")
    session = steps.claim(repo, issue_key="42", branch="claude/42")
    first = steps.run("create_branch", session)
    row = steps.row(session) or {}
    key = branch_key(session.repository_id, "claude/42-2")
    steps.table.put_item(Item=key | {"issue_number": session.issue_number, "attempts": {"0" * 40, row["initial_sha"]}})

    assert steps.run("create_branch", session) == first


def test_the_issues_next_session_has_the_branch_of_the_one_before(steps: Steps, github: GitHub, repo: str) -> None:
    somebodys(github, repo, "claude")
    session = steps.claim(repo, issue_key="42", branch="claude/42")
    steps.run("create_branch", session)
    work = github.add_commit(repo, "claude-42", "Show the menu")
    github.call("DELETE", f"/repos/{repo}/git/refs/heads/claude")
    again = followed_by(session)
    steps.put_row(again)

    assert steps.run("create_branch", again)["branch"] == "claude-42"
    assert github.branches(repo)["claude-42"] == work
    assert (steps.row(again) or {})["blocking_branch"] == "claude"
    assert "claude/42" not in github.branches(repo)


def test_a_branch_from_before_its_row_said_so_is_known_by_the_issues_session(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    steps.run("create_branch", session)
    github.add_commit(repo, session.branch, "Show the menu")
    key = branch_key(session.repository_id, session.branch)
    steps.table.put_item(Item=key | {"issue_number": session.issue_number})
    again = followed_by(session)
    steps.put_row(again)

    assert steps.run("create_branch", again)["branch"] == session.branch


def test_a_branch_that_was_deleted_has_its_name_again(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run("create_branch", session)
    github.call("DELETE", f"/repos/{repo}/git/refs/heads/{session.branch}")

    assert steps.run("create_branch", session)["branch"] == session.branch


def test_without_a_free_name_the_session_says_which_are_taken(steps: Steps, github: GitHub, repo: str) -> None:
    somebodys(github, repo, "claude")
    session = steps.claim(repo, issue_key="42", branch="claude/42")
    flat = ["claude-42", *(f"claude-42-{n}" for n in range(2, 51))]
    for name in flat:
        Branches("sessions").claim(session.repository_id, name, session.issue_number + 1, "0" * 40)

    with pytest.raises(NoFreeBranchNameError, match="to claude-42-50"):
        steps.run("create_branch", session)


def test_the_pull_request_says_which_branch_is_in_the_way(steps: Steps, github: GitHub, repo: str) -> None:
    somebodys(github, repo, "claude")
    session = steps.claim(repo, issue_key="42", branch="claude/42")
    branch = steps.run("create_branch", session)["branch"]
    on_branch = session.model_copy(update={"branch": branch})  # as the workflow hands it on
    steps.run("open_draft_pull_request", on_branch)

    (pull,) = github.pulls(on_branch)
    (comment,) = github.comments(repo, pull["number"])
    assert "| **Branch** | `claude-42` (the repository already has a branch `claude`) |" in comment


def test_the_settings_of_the_default_branch_come_with_the_issue(
    steps: Steps, github: GitHub, repo: str, clone: Callable[[str], Clone]
) -> None:
    number = github.call("POST", f"/repos/{repo}/issues", title="t")["number"]
    reader = connect(load(GitHubSettings), steps.claim(repo).repository).conversation
    without = reader.issue(number, "claude/1", ())
    work = clone(repo)
    work.write(".github/claude-cloud-agent.yml", "tracker_keys: [AGNTS]\n")
    work.commit("README.txt")
    work.push("main")
    found = reader.issue(number, "claude/1", ())
    assert (without.settings if without else None) == ""
    assert (found.settings if found else None) == "tracker_keys: [AGNTS]\n"

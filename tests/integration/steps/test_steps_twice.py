"""Every step run a second time, as a retry runs it, leaves what the first time left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.adapters.table.keys import session_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps

# What a step writes after it has changed GitHub: a crash in between loses it.
WRITTEN_LAST = {
    "create_branch": ("base_sha", "initial_sha"),
    "open_draft_pull_request": ("pull_number", "pull_url", "comment_id", "deployment_id"),
    "announce_session": ("comment_id", "deployment_id"),
}


@pytest.mark.parametrize("crash", [False, True], ids=["answered", "crashed"])
def test_the_steps_of_a_start_run_twice_leave_one_branch_one_pull_request_one_comment_and_one_deployment(
    steps: Steps, github: GitHub, repo: str, *, crash: bool
) -> None:
    session = steps.claim(repo)
    for step, attributes in WRITTEN_LAST.items():
        first, row = steps.run(step, session, **steps.more(step, session)), steps.row(session)
        more = steps.more(step, session)
        if crash:
            steps.forget(session, *attributes)
        assert first == steps.run(step, session, **more)
        assert row == steps.row(session)
    main, branch = (github.branches(repo)[name] for name in ("main", session.branch))
    compared = github.get(f"/repos/{repo}/compare/main...{session.branch}")
    message = f"chore: initialize Claude agent session for #{session.issue_key}"
    assert [(branch, message)] == [(commit["sha"], commit["commit"]["message"]) for commit in compared["commits"]]
    assert compared["files"] == []
    row = steps.row(session) or {}
    assert (main, branch) == (row["base_sha"], row["initial_sha"])
    (pull,) = github.pulls(session)
    assert (True, "open", session.issue_title) == (pull["draft"], pull["state"], pull["title"])
    (comment,) = github.comments(repo, pull["number"])
    url = f"https://{session.session_id}.uat.example.com"
    assert url in comment
    (deployment,) = github.deployments(session)
    assert ("success", f"{url}/.uat/enter") == (deployment["state"], deployment["environment_url"].partition("?")[0])


def test_a_branch_that_work_was_pushed_to_keeps_its_base_and_its_first_commit(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    steps.run("create_branch", session)
    row = steps.row(session)
    work = github.add_commit(repo, session.branch, "Show the menu")
    github.add_commit(repo, "main", "Somebody else's work")
    steps.forget(session, "base_sha", "initial_sha")
    steps.run("create_branch", session)
    assert row == steps.row(session)
    assert work == github.branches(repo)[session.branch]


def test_the_issue_of_a_merged_pull_request_can_be_taken_up_again(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to("announce_session", session)
    github.add_commit(repo, session.branch, "Show the menu")
    github.merge(repo, session.branch)
    again = session.model_copy(update={"session_id": f"f{session.session_id[1:]}"})
    steps.put_row(again)
    for _ in range(2):
        steps.run("create_branch", again)
        steps.run("open_draft_pull_request", again)
    first, second = sorted(github.pulls(again), key=lambda found: int(found["number"]))
    assert (first["state"], second["state"]) == ("closed", "open")
    compared = github.get(f"/repos/{repo}/compare/main...{again.branch}")
    row = steps.row(again) or {}
    assert [row["initial_sha"]] == [commit["sha"] for commit in compared["commits"]]
    assert github.branches(repo)["main"] == row["base_sha"]


def test_the_issue_of_a_squashed_pull_request_starts_from_the_base_again(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    again = session.model_copy(update={"session_id": f"f{session.session_id[1:]}"})
    steps.run_up_to("announce_session", session)
    github.add_commit(repo, session.branch, "Show the menu")
    (pull,) = github.pulls(session)
    github.squash(pull)
    github.add_commit(repo, "main", "Somebody else's work")
    steps.put_row(again)
    for _ in range(2):
        steps.run("create_branch", again)
    compared = github.get(f"/repos/{repo}/compare/main...{again.branch}")
    row = steps.row(again) or {}
    assert [row["initial_sha"]] == [commit["sha"] for commit in compared["commits"]]
    assert github.branches(repo)["main"] == row["base_sha"] == compared["merge_base_commit"]["sha"]


def test_what_was_pushed_after_a_squash_stays_on_the_branch(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to("announce_session", session)
    (pull,) = github.pulls(session)
    github.squash(pull)
    work = github.add_commit(repo, session.branch, "Not merged")
    steps.run("create_branch", session)
    assert work == github.branches(repo)[session.branch]


def test_a_repository_is_followed_to_its_new_name_in_the_middle_of_a_start(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    steps.run("create_branch", session)
    renamed = github.call("PATCH", f"/repos/{repo}", name=f"{repo.partition('/')[2]}-renamed")["full_name"]
    for step in ("open_draft_pull_request", "announce_session"):
        steps.run(step, session, **steps.more(step, session))
    (pull,) = github.pulls(session.model_copy(update={"repo": renamed}))
    (comment,) = github.comments(renamed, pull["number"])
    assert session.session_id in comment


def test_a_closed_pull_request_is_followed_by_a_new_one(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to("announce_session", session)
    (closed,) = github.pulls(session)
    github.call("PATCH", f"/repos/{repo}/pulls/{closed['number']}", state="closed")
    answer = steps.run("open_draft_pull_request", session)
    assert answer["pull_number"] > closed["number"]
    assert answer["pull_number"] == (steps.row(session) or {})["pull_number"]


def test_the_address_is_registered_once_and_stays(steps: Steps, repo: str, running_task: Callable[[str], str]) -> None:
    session = steps.claim(repo)
    task = running_task(session.session_id)
    first = steps.run("register_ip", session, port=3000)
    row = steps.row(session) or {}
    assert first == steps.run("register_ip", session, port=3000)
    assert ("RUNNING", task, 3000) == (row["status"], row["task_arn"], row["port"])
    assert first["ip"].startswith("127.")
    again = steps.row(session) or {}
    assert row | {"last_active_at": again["last_active_at"]} == again


HARD_TITLES = {
    "Fix `<script>` & **bold** [link](http://x) #1 @octo-dev": None,
    "It's \"quoted\" — 'twice' \\n $HOME %s {0}": None,
    "🍜 Menü für Zürich 👩‍👩‍👧‍👦 ﷽ עברית": None,
    "two\nlines\r\nand\ta tab": "two lines and a tab",
    "   padded   ": "padded",
    "AGNTS-124: " + "🍜" * 255: ("AGNTS-124: " + "🍜" * 255)[:255] + "…",
    "x" * 256: None,
    "zero\u200b width": "zero width",
}


@pytest.mark.parametrize("title", HARD_TITLES, ids=range(len(HARD_TITLES)))
def test_a_hard_title_becomes_the_pull_requests_title(steps: Steps, github: GitHub, repo: str, title: str) -> None:
    session = steps.claim(repo).model_copy(update={"issue_title": title})
    for _ in range(2):
        steps.run("create_branch", session)
        steps.run("open_draft_pull_request", session)
    (pull,) = github.pulls(session)
    assert (HARD_TITLES[title] or " ".join(title.split())) == pull["title"]


def test_an_issue_with_the_longest_body_starts_like_every_other(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo, body="🍜" * 65_536)
    steps.run_up_to("close_session", session)
    assert len(github.pulls(session)) == 1


FAILURES: dict[str, Any] = {
    "plain": ("RepositoryEmptyError", '{"errorMessage": "acme/app has no branch main.", "errorType": "x"}'),
    "log": ("AgentTaskStoppedError", "```\n" * 20_000),
    "emoji": ("RepositoryConfigError", "npm ERR! 🍜 <details></details> @octo-dev " * 2_000),
    "unknown": ("KeyError", ""),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("place", ["issue", "pull request"])
def test_a_failure_is_told_once_on_the_pull_request_or_before_there_is_one_on_the_issue(
    steps: Steps, github: GitHub, repo: str, failure: str, place: str
) -> None:
    session, (error, cause) = steps.claim(repo), FAILURES[failure]
    number = session.issue_number
    if place == "pull request":
        steps.run_up_to("announce_session", session)
        number = (steps.row(session) or {})["pull_number"]
    answers = [steps.run("report_failure", session, state="Run Agent", error=error, cause=cause) for _ in range(2)]
    assert answers[0] == answers[1]
    status = [f"<!-- claude-cloud-agent:session:{session.session_id} -->"] if place == "pull request" else []
    *others, comment = github.comments(repo, number)
    assert status == [other.splitlines()[0] for other in others]
    assert f"<!-- claude-cloud-agent:failure:{session.session_id} -->" == comment.splitlines()[0]
    assert answers[0]["reason"] in comment
    assert ("`/restart`" in comment) is (place == "pull request")
    if place == "pull request":
        assert github.comments(repo, session.issue_number) == []


def test_a_failure_is_told_whoever_has_written_its_marker_before(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    others = f"<!-- claude-cloud-agent:failure:{session.session_id} -->\nLooks fine to me."
    github.call("POST", f"/repos/{repo}/issues/{session.issue_number}/comments", body=others)
    for _ in range(2):
        steps.run("report_failure", session, **steps.more("report_failure", session))
    first, told = github.comments(repo, session.issue_number)
    assert first == others
    assert "### Claude's session failed" in told


def test_a_failure_before_the_row_was_written_is_told_on_the_issue(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo).model_copy(update={"session_id": "fffffff0"})
    steps.run("report_failure", session, **steps.more("report_failure", session))
    assert len(github.comments(repo, session.issue_number)) == 1


def test_a_container_that_stopped_between_two_waits_is_told_with_its_reason(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    steps.table.update_item(
        Key=session_key(session.session_id),
        UpdateExpression="SET task_stopped_reason = :reason",
        ExpressionAttributeValues={":reason": "OutOfMemoryError: Container killed due to memory usage; exit code 137"},
    )
    cause = "The agent's container stopped before the session could be supervised."
    steps.run("report_failure", session, state="Supervise Session", error="AgentTaskStoppedError", cause=cause)
    (comment,) = github.comments(repo, session.issue_number)
    assert "The agent's container ran out of memory." in comment
    assert "exit code 137" in comment

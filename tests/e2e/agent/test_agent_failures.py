"""The failures that the agent meets at work: what a person reads, and that nothing is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest
from tests.e2e.failures import ALWAYS, CONFIG, PAGE, deployment_state, is_told, protect, repository
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import Session, System

REPOSITORIES = {
    "an unknown key in the configuration": (
        "dev: sleep 60\nport: 3000\nbuget_usd: 3\n",
        (f"{CONFIG} can't be used", "line 3", "buget_usd", "did you mean `budget_usd`?"),
    ),
    "a configuration that is not YAML": (
        "dev: sleep 60\nenv: [A\n",
        (f"{CONFIG} can't be used", "line 3", "can't be parsed"),
    ),
}


@pytest.mark.parametrize("what", REPOSITORIES)
def test_what_is_wrong_in_the_repository_is_told_with_its_own_words(system: System, what: str) -> None:
    config, words = REPOSITORIES[what]
    there = repository(system, "wrong", {"README.md": "# Wrong\n", CONFIG: config})
    is_told(there, there.start("Try", "Please."), *words)


def test_a_preview_that_fails_is_told_beside_its_url_while_claude_works(system: System) -> None:
    install = "echo 'no such package' >&2; exit 7"
    there = repository(system, "unservable", {"README.md": "# Wrong\n", CONFIG: f"install: {install}\ndev: sleep 60\n"})
    session = there.start("Note this", "scripted-model: run echo noted > note.txt")
    row = there.wait_for_turn(session)

    shown = there.wait_for_status(session, "❌ Failed")
    words = ("🟢 Running", f"`{install}` ended with status 7.", "```text\nno such package\n```")
    assert [part for part in words if part not in shown] == []
    assert "**Pushed**" in there.wait_for_comment(row["pull_number"], "**Pushed**")
    there.comment(row["pull_number"], "/status")
    assert "Preview: ❌ Failed" in there.wait_for_comment(row["pull_number"], "Preview: ❌ Failed")
    page = there.visitor(session).fetch()
    assert (page.status, "no such package" in page.text) == (502, True)
    closed(there, session)


def test_a_clone_that_is_refused_is_told_with_what_git_said(system: System) -> None:
    there = repository(system, "unclonable", PAGE)
    path = f"/{there.repository}.git/.*"
    with there.faults({"kind": "rate_limit", "status": 403, "path": path, "count": ALWAYS}):
        session = there.start("Try", "Please.")
        is_told(there, session, "couldn't clone the branch", "read access to Contents", "error: 403")


def test_a_push_that_is_refused_is_told_in_the_answer_and_made_good_by_the_next_session(system: System) -> None:
    there = repository(system, "unpushable", PAGE)
    session = there.start("Note this", "The first note.")
    there.wait_for_row(session, lambda row: "pull_number" in row)
    ruleset = protect(there, "update")

    row = there.wait_for_row(session, lambda row: row.get("turns", "0") != "0", 120)
    pull = row["pull_number"]
    refused = there.wait_for_comment(pull, "Couldn't push")
    assert "This turn failed" in refused
    assert "the next turn tries again" in refused
    assert "Nobody touches" in refused or "rule violations" in refused
    assert "**Pushed**" not in refused
    begun = there.installation.state_dir / "begun"
    unfinished = f"{{ echo x > unfinished.txt; touch '{begun}'; sleep 97; }}"
    there.comment(pull, f"scripted-model: run test -e unfinished.txt || {unfinished}")
    wait_for(begun.exists, bool)
    there.comment(pull, "/stop")

    # One of the first turn, one of the turn in which Claude was asked for other commits, and what the end cut short.
    assert "`/restart` takes them up" in there.wait_for_status(session, "3 commits weren't on GitHub when", 120)
    there.github.call("DELETE", f"/repos/{there.repository}/rulesets/{ruleset}")
    there.comment(pull, "/restart")

    following = wait_for(lambda: there.session_of(session.issue_number), lambda found: session.id != found.id)
    there.wait_for_status(following, "Took up 3 commits that an earlier session couldn't push; they're on GitHub", 120)
    assert there.commits(pull)[-1] == "chore: commit changes that the last turn left uncommitted"
    closed(there, following)


MODEL = {
    529: ("model API is overloaded", "Wait a few minutes", "HTTP 529"),
    401: ("rejected the deployment's credentials", "AnthropicApiKeySecretArn", "HTTP 401"),
}


@pytest.mark.parametrize("status", MODEL)
def test_a_model_api_that_fails_is_told_in_the_answer_and_the_session_goes_on(system: System, status: int) -> None:
    there = repository(system, "model", PAGE)
    session = there.start("Think", f"Please.\n\nscripted-model: fail {status}")
    row = there.wait_for_row(session, lambda row: row.get("activity") == "turn_failed", 120)

    answer = there.wait_for_comment(row["pull_number"], "This turn failed")
    assert [words for words in MODEL[status] if words not in answer] == [], answer
    assert there.row(session.id)["status"] == "RUNNING"
    there.comment(row["pull_number"], "Note that all is well.")
    assert "all is well" in there.wait_for_comment(row["pull_number"], "**Pushed**", 120)
    closed(there, session)


def test_a_budget_that_is_used_up_ends_the_session_with_its_answer_given(system: System) -> None:
    there = repository(system, "thrifty", {**PAGE, CONFIG: PAGE[CONFIG] + "budget_usd: 0.01\n"})
    session = there.start("Note this", "A note that costs more than a cent.")

    assert there.wait_for_end(session) == "SUCCEEDED"
    row = there.wait_until_over(session)
    assert row["status"] == "STOPPED"
    assert row["end_reason"].startswith("The session's budget of $0.01 is used up (")
    assert row["end_reason"] in there.wait_for_status(session, "Stopped").replace("\\", "")
    assert there.wait_for_comment(row["pull_number"], "Reply to [the issue]")
    assert deployment_state(there, row["pull_number"]) == "inactive"


def test_an_agent_that_is_killed_in_the_middle_of_a_turn_is_told_of_and_leaves_no_process(system: System) -> None:
    there = repository(system, "killed", PAGE)
    session = there.start("Think", "Please.\n\nscripted-model: think 120")
    there.wait_for_row(session, lambda row: row.get("activity") == "turn_started", 120)
    (agent,) = processes_of(session)
    family = [agent, *agent.children(recursive=True)]

    agent.kill()

    is_told(there, session, "The agent's container stopped", "exit code")
    wait_for(lambda: [one for one in family if one.is_running()], lambda left: left == [], 20)


def processes_of(session: Session) -> list[psutil.Process]:
    """The agent's own process: the one that was given the session's id."""
    found = []
    for process in psutil.process_iter():
        try:
            if "cloud_agent_runner" in process.cmdline() and process.environ().get("SESSION_ID") == session.id:
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.parent() not in found]


def closed(system: System, session: Session) -> None:
    """End a session whose test is over."""
    path = f"/repos/{system.repository}/issues/{session.issue_number}"
    system.github.call("PATCH", path, {"state": "closed", "state_reason": "not_planned"})
    assert system.wait_until_over(session)["status"] == "STOPPED"

"""How many requests a session makes of GitHub: its limits hold for all sessions of an installation together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind
from cloud_agent.domain.conversation.turn_results import TurnResult

if TYPE_CHECKING:
    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps

STEPS = ("create_branch", "open_draft_pull_request", "announce_session", "close_session")


@pytest.fixture
def requests(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is asked of GitHub from now on, by method."""
    counted: Counter[str] = Counter()
    urlopen = HTTPConnectionPool.urlopen

    def count(pool: HTTPConnectionPool, method: str, url: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - urllib3's
        if pool.port == int(github.url.rpartition(":")[2]):
            counted[method] += 1
        return urlopen(pool, method, url, *arguments, **options)

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", count)
    return counted


def test_a_session_of_one_turn_makes_few_requests(
    steps: Steps, github: GitHub, repo: str, requests: Counter[str]
) -> None:
    head = github.get(f"/repos/{repo}/branches/main")["commit"]
    tree = head["commit"]["tree"]["sha"]
    session = steps.claim(repo, default_head={"sha": head["sha"], "tree": tree})  # as read with the issue
    by_step = {}
    steps.change(session, status="STARTING")
    issue = Prompt(
        id=INITIAL_PROMPT_ID,
        kind=PromptKind.ISSUE,
        body="",
        author="octo-dev",
        url="u",
        created_at="2026-11-22T10:00:00.000Z",
    )
    Prompts("sessions").put(session.session_id, issue)
    for step in STEPS[:3]:
        steps.run(step, session, **steps.more(step, session))
        by_step[step] = Counter(requests)
        requests.clear()
    steps.change(session, status="RUNNING", turns=3)
    sha = github.add_commit(repo, session.branch, "Show the menu")
    steps.change(session, reported_head_sha=sha)
    answer = TurnResult(
        prompt_id=issue.id,
        is_error=False,
        result="",
        head_sha=sha,
        description="It shows the menu.",
        created_at="2026-11-22T10:00:00Z",
    )
    Prompts("sessions").record_turn_result(session.session_id, answer)
    steps.publish(session, "SESSION", f"TURN_RESULT#{issue.id}")
    by_step["turn"] = Counter(requests)
    requests.clear()
    steps.run("close_session", session, **steps.more("close_session", session))
    by_step["close_session"] = Counter(requests)
    expected = {
        # the one token of all functions, commit, branch; the rules
        "create_branch": Counter(POST=3, GET=1),
        # pull request, comment, Deployment
        "open_draft_pull_request": Counter(POST=3),
        # the Deployment's state; the session's comment
        "announce_session": Counter(POST=1, PATCH=1),
        # commits and the pull request; its description, the reply, the session's comment and ready for review
        "turn": Counter(POST=2),
        # merged, so that nothing is added to the description
        "close_session": Counter(POST=1, GET=1, PATCH=1),
    }
    assert expected == by_step


def test_that_a_comment_was_read_and_what_the_session_does_now_is_one_request(
    steps: Steps, github: GitHub, repo: str, requests: Counter[str]
) -> None:
    session = steps.claim(repo)
    steps.run_up_to("announce_session", session)
    steps.run("announce_session", session, **steps.more("announce_session", session))
    steps.change(session, status="RUNNING")
    steps.publish(session)
    number = (steps.row(session) or {})["pull_number"]
    written = github.call("POST", f"/repos/{repo}/issues/{number}/comments", body="And dessert?")
    prompt = Prompt(
        id="01JD8Y3QF0000000000000000A",
        kind=PromptKind.COMMENT,
        body="And dessert?",
        author="octo-dev",
        url="u",
        created_at="2026-11-22T10:00:00.000Z",
        node_ids=(written["node_id"],),
    )
    Prompts("sessions").add(session.session_id, prompt)
    requests.clear()
    steps.publish(session, f"PROMPT#{prompt.id}", "SESSION", event="INSERT")
    steps.publish(session, f"PROMPT#{prompt.id}", "SESSION")  # taken
    assert requests == Counter(POST=1)
    status, comment = github.get(f"/repos/{repo}/issues/{number}/comments")
    assert "Claude is working" in status["body"]
    assert comment["reactions"]["eyes"] == 1

"""The session's one comment follows its row, however often and by whomever it is brought up to date."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import serialized

from cloud_agent.adapters.table.keys import SLOTS_KEY, published_key, session_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind
from cloud_agent.domain.conversation.status_comment import render
from cloud_agent.domain.errors import GitHubRateLimitedError, GitHubUnavailableError
from cloud_agent.domain.session.model_choice import ModelChoice
from cloud_agent.publisher import context as publishing
from cloud_agent.publisher import handler as publisher
from cloud_agent.publisher import status

if TYPE_CHECKING:
    from datetime import tzinfo
    from typing import Self

    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession

URL = "https://{}.uat.example.com"


@pytest.fixture
def session(steps: Steps, repo: str) -> RequestedSession:
    """A session whose pull request is open."""
    session = steps.claim(repo)
    steps.run_up_to("announce_session", session)
    return session


@pytest.fixture
def prompts(steps: Steps) -> Prompts:  # noqa: ARG001 - needs the table
    return Prompts("sessions")


def the_comment(github: GitHub, steps: Steps, session: RequestedSession) -> str:
    (comment,) = github.comments(session.repo, (steps.row(session) or {})["pull_number"])
    return comment


def edits(github: GitHub, steps: Steps, session: RequestedSession, *keys: str) -> bool:
    """Whether the stream's function edits the comment."""
    comment_id = (steps.row(session) or {})["comment_id"]
    mark = f"<!-- claude-cloud-agent:session:{session.session_id} -->\nas it was"
    github.call("PATCH", f"/repos/{session.repo}/issues/comments/{comment_id}", body=mark)
    steps.publish(session, *keys)
    return mark != the_comment(github, steps, session)


def test_from_the_first_the_comment_says_where_to_look_and_the_deployment_is_pending(
    steps: Steps, github: GitHub, session: RequestedSession
) -> None:
    comment = the_comment(github, steps, session)
    assert "### 🚀 Starting" in comment
    assert URL.format(session.session_id) in comment
    (deployment,) = github.deployments(session)
    assert (deployment["state"], deployment["environment"]) == ("pending", "uat/pr-2")
    row = steps.row(session) or {}
    assert deployment["id"] == row["deployment_id"]
    assert row["app"] == {name: deployment["creator"][name] for name in ("login", "id")}  # whoever acts here


def test_each_change_of_the_row_that_people_care_about_is_told_at_once(
    steps: Steps, github: GitHub, session: RequestedSession, prompts: Prompts
) -> None:
    changes: list[dict[str, Any]] = [
        {"status": "RUNNING"},
        {"turns": 3},
        {"idle_ends_at": "2026-11-22T12:34:00.000Z"},
        {"logs_url": "https://us-east-1.console.aws.amazon.com/cloudwatch/home#logsV2:log-groups/log-group/agent"},
        {"max_turns": 100},
    ]
    for change in changes:
        steps.change(session, **change)
        assert edits(github, steps, session), change
        assert not edits(github, steps, session), "nothing has changed since"
    prompts.add(session.session_id, follow_up("01JD8Y3QF0000000000000000A"))
    assert edits(github, steps, session)


def follow_up(prompt_id: str) -> Prompt:
    return Prompt(
        id=prompt_id,
        kind=PromptKind.COMMENT,
        body="And dessert?",
        author="octo-dev",
        url="u",
        created_at="2026-11-22T10:00:00.000Z",
    )


@pytest.mark.parametrize("is_announced", [False, True])
def test_whoever_asks_sees_that_it_was_read_also_before_the_comment_may_be_edited_and_where_one_is_gone(
    steps: Steps, github: GitHub, session: RequestedSession, prompts: Prompts, *, is_announced: bool
) -> None:
    number = (steps.row(session) or {})["pull_number"]
    kept, deleted = (
        github.call("POST", f"/repos/{session.repo}/issues/{number}/comments", body=body) for body in ("And?", "Gone")
    )
    github.call("DELETE", f"/repos/{session.repo}/issues/comments/{deleted['id']}")
    steps.change(session, status="RUNNING", **({} if is_announced else {"lifecycle_token": None}))
    steps.publish(session)
    before = the_text(github, steps, session)
    prompt = follow_up("01JD8Y3QF0000000000000000A")
    prompts.add(session.session_id, prompt.model_copy(update={"node_ids": (deleted["node_id"], kept["node_id"])}))
    for _ in range(2):
        steps.publish(session, f"PROMPT#{prompt.id}", event="INSERT")
    assert github.get(f"/repos/{session.repo}/issues/comments/{kept['id']}")["reactions"]["eyes"] == 1
    assert (the_text(github, steps, session) != before) == is_announced


def the_text(github: GitHub, steps: Steps, session: RequestedSession) -> str:
    comment_id = (steps.row(session) or {})["comment_id"]
    text: str = github.get(f"/repos/{session.repo}/issues/comments/{comment_id}")["body"]
    return text


def test_what_claude_does_is_told_at_most_every_thirty_seconds(
    steps: Steps, github: GitHub, session: RequestedSession, prompts: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = follow_up(INITIAL_PROMPT_ID).model_copy(update={"kind": PromptKind.ISSUE})
    prompts.put(session.session_id, issue)
    steps.change(session, status="RUNNING")
    steps.publish(session)
    steps.change(session, activity="Bash npm test")
    assert not edits(github, steps, session)
    monkeypatch.setattr(status, "ACTIVITY_INTERVAL", status.ACTIVITY_INTERVAL * 0)
    assert edits(github, steps, session)
    assert "**Now:** Bash npm test" in the_comment(github, steps, session)


def test_time_that_goes_by_edits_nothing(
    steps: Steps, github: GitHub, session: RequestedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "ACTIVITY_INTERVAL", status.ACTIVITY_INTERVAL * 0)

    class InAnHour(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=1)

    steps.change(session, status="RUNNING")
    steps.publish(session)
    monkeypatch.setattr(status, "datetime", InAnHour)
    assert not edits(github, steps, session)
    steps.change(session, activity="Bash npm test", turns=1)
    assert edits(github, steps, session)


def test_whoever_waits_is_told_a_new_place_when_the_queue_moves(steps: Steps, github: GitHub, repo: str) -> None:
    sessions = [steps.claim(repo) for _ in range(2)]
    for number, session in enumerate(sessions):
        steps.change(session, status="QUEUED")
        steps.table.update_item(
            Key=SLOTS_KEY,
            UpdateExpression="SET waiting.#id = :entry REMOVE live.#id",
            ExpressionAttributeNames={"#id": session.session_id},
            ExpressionAttributeValues={":entry": {"repo": repo, "since": f"2026-11-22T10:00:0{number}.000Z"}},
        )
    for session in sessions:
        steps.run_up_to("announce_session", session)
    assert "### 🕓 Queued: place 2 of 2" in the_comment(github, steps, sessions[1])
    Slots("sessions").free(sessions[0].session_id)
    steps.publish_keys(serialized(SLOTS_KEY))
    assert "### 🕓 Queued: next in line" in the_comment(github, steps, sessions[1])
    Slots("sessions").free(sessions[1].session_id)


def test_a_comment_whose_id_is_lost_is_found_by_its_marker_and_one_that_is_gone_is_written_by_a_step_alone(
    steps: Steps, github: GitHub, session: RequestedSession
) -> None:
    row = steps.row(session) or {}
    steps.forget(session, "comment_id")
    steps.run("announce_session", session, pull_number=row["pull_number"])
    assert row["comment_id"] == (steps.row(session) or {})["comment_id"]

    github.call("DELETE", f"/repos/{session.repo}/issues/comments/{row['comment_id']}")
    steps.change(session, status="RUNNING")
    steps.publish(session)
    assert github.comments(session.repo, row["pull_number"]) == []
    steps.run("announce_session", session, pull_number=row["pull_number"])
    assert "### 🟢 Running" in the_comment(github, steps, session)


def test_a_person_who_quotes_the_marker_is_left_alone(steps: Steps, github: GitHub, session: RequestedSession) -> None:
    row = steps.row(session) or {}
    number, comment_id = row["pull_number"], row["comment_id"]
    quote = f"> <!-- claude-cloud-agent:session:{session.session_id} -->\nWhat is this?"
    github.call("POST", f"/repos/{session.repo}/issues/{number}/comments", body=quote)
    github.call("DELETE", f"/repos/{session.repo}/issues/comments/{comment_id}")
    steps.run("announce_session", session, pull_number=number)
    assert quote == github.comments(session.repo, number)[0]


def test_the_link_to_the_session_is_never_written_into_another_s_comment(
    steps: Steps, github: GitHub, session: RequestedSession
) -> None:
    row = steps.row(session) or {}
    number, comment_id = row["pull_number"], row["comment_id"]
    others = f"<!-- claude-cloud-agent:session:{session.session_id} -->\nMine."
    github.call("POST", f"/repos/{session.repo}/issues/{number}/comments", body=others)
    github.call("DELETE", f"/repos/{session.repo}/issues/comments/{comment_id}")
    steps.forget(session, "comment_id")
    steps.run("announce_session", session, pull_number=number)
    first, own = github.comments(session.repo, number)
    assert first == others
    assert URL.format(session.session_id) in own


def test_writers_that_race_leave_what_the_row_says(steps: Steps, github: GitHub, session: RequestedSession) -> None:
    """One edit is held back until the row has changed and another writer has told of it."""
    steps.change(session, status="RUNNING", turns=1)
    held, let_go = threading.Event(), threading.Event()

    def slowly(view: Any) -> str:  # noqa: ANN401 - the view
        text = render(view)
        if threading.current_thread() is slow and not held.is_set():
            held.set()
            assert let_go.wait(20)
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloud_agent.publisher.status.render", slowly)
        slow = threading.Thread(target=steps.publish, args=(session,))
        slow.start()
        assert held.wait(20)
        steps.change(session, turns=2)
        steps.publish(session)
        let_go.set()
        slow.join(20)
    assert "**So far:** 2 model turns" in the_comment(github, steps, session)


def test_a_session_that_cannot_be_published_keeps_no_other_from_being_told(
    steps: Steps, github: GitHub, session: RequestedSession
) -> None:
    poisoned = steps.claim(session.repo)
    steps.run_up_to("announce_session", poisoned)
    steps.change(poisoned, status="RUNNING", repo="acme/gone")
    unreadable = steps.claim(session.repo)
    steps.change(unreadable, cost_usd="a lot")
    steps.change(session, status="RUNNING")
    keys = [
        serialized(session_key(one))
        for one in (poisoned.session_id, unreadable.session_id, "fffffff7", session.session_id)
    ]
    steps.publish_keys(*keys)
    assert "### 🟢 Running" in the_comment(github, steps, session)


@pytest.mark.parametrize("error", [GitHubUnavailableError, GitHubRateLimitedError])
def test_while_github_is_down_the_stream_is_asked_to_come_again(
    steps: Steps, github: GitHub, session: RequestedSession, error: type[Exception]
) -> None:
    def refuse(*_arguments: object) -> None:
        raise error("GitHub did not respond")

    steps.change(session, status="RUNNING")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "connect", refuse)
        patch.setattr(publisher, "_PAUSE_SECONDS", 0)
        with pytest.raises(error):
            steps.publish(session)
    steps.publish(session)
    assert "### 🟢 Running" in the_comment(github, steps, session)


def test_bookkeeping_and_expired_rows_are_no_news(steps: Steps, session: RequestedSession) -> None:
    steps.change(session, status="RUNNING")
    key = serialized(session_key(session.session_id))
    nothing = {"turn_results": 0, "sessions": 0}
    assert nothing == steps.publish_keys(key, event="REMOVE")
    assert nothing == steps.publish_keys(serialized(published_key(session.session_id)))


def test_the_deployment_of_a_newer_session_is_left_alone_by_a_late_close_of_the_older(
    steps: Steps, github: GitHub, session: RequestedSession
) -> None:
    newer = session.model_copy(update={"session_id": f"e{session.session_id[1:]}"})
    steps.put_row(newer)
    for one in (session, newer):
        steps.run_up_to("close_session", one)
    steps.run("close_session", session, status="STOPPED", reason="The label was removed.")
    steps.forget(session, "deployment_id")
    steps.run("close_session", session, status="STOPPED", reason="The label was removed.")
    latest, earlier = github.deployments(newer)
    assert (latest["state"], earlier["state"]) == ("success", "inactive")
    assert latest["environment_url"].startswith(URL.format(newer.session_id))


def test_a_session_takes_over_what_the_one_before_left_unanswered(
    steps: Steps, github: GitHub, session: RequestedSession, prompts: Prompts
) -> None:
    waiting = follow_up("01JD8Y3QF0000000000000000B")
    prompts.put(session.session_id, follow_up(INITIAL_PROMPT_ID))
    prompts.add(session.session_id, waiting)
    steps.run("close_session", session, status="STOPPED", reason="The label was removed.")
    assert "1 comment wasn't answered" in the_comment(github, steps, session)
    (pull,) = github.pulls(session)
    assert "> Claude's session ended: The label was removed." in pull["body"]
    choice = ModelChoice(model="claude-opus-5-5", at="2026-11-22T08:00:00.000Z")
    SessionsTable("sessions").choose_model(session.session_id, choice)

    newer = session.model_copy(update={"session_id": f"d{session.session_id[1:]}"})
    steps.put_row(newer)
    for _ in range(2):
        steps.run_up_to("announce_session", newer)
    assert session.session_id == (steps.row(newer) or {})["previous_session_id"]
    assert [waiting] == prompts.of(newer.session_id)
    assert (steps.row(newer) or {})["chosen_model"] == choice.model_dump(exclude_none=True)
    number = (steps.row(newer) or {})["pull_number"]
    assert len(github.comments(session.repo, number)) == 2


def test_the_slot_is_free_and_given_away_though_github_is_down(
    steps: Steps,
    session: RequestedSession,
    monkeypatch: pytest.MonkeyPatch,
    put_secret: Any,  # noqa: ANN401 - a fixture
) -> None:
    put_secret('{"token": "ghp_0"}')
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    for _ in range(2):
        with pytest.raises(GitHubUnavailableError):
            steps.run("close_session", session, status="STOPPED", reason="The label was removed.")
    assert session.session_id not in steps.slots()
    assert steps.lock(session) is None


def test_the_deployment_follows_the_preview_and_is_not_set_again_for_a_restart(
    steps: Steps, github: GitHub, session: RequestedSession
) -> None:
    steps.change(session, status="RUNNING", preview={"state": "starting", "detail": "`npm ci` is running"})
    steps.run("announce_session", session, **steps.more("announce_session", session))
    states = [_deployment_state(github, session)]
    steps.change(session, lifecycle_token="parked")
    for state in ("failed", "live", "starting", "none"):
        steps.change(session, preview={"state": state})
        steps.publish(session)
        states.append(_deployment_state(github, session))
    assert states == ["in_progress", "failure", "success", "success", "inactive"]


def _deployment_state(github: GitHub, session: RequestedSession) -> str:
    (deployment,) = github.deployments(session)
    return str(deployment["state"])

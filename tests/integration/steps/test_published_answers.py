"""Each prompt is answered once, where it was asked, and says only of GitHub what GitHub says."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.steps.test_branch_names import followed_by

from cloud_agent.adapters.github.finished_turns import FinishedTurns
from cloud_agent.adapters.table.keys import turn_result_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.publications import Publications
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind, Thread
from cloud_agent.domain.conversation.turn_results import TurnResult
from cloud_agent.domain.errors import GitHubUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.steps.github import Clone, GitHub, Json
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession

ASKED = "01JD8Y3QF0000000000000000A"


class Conversation:
    """One session's prompts and answers, and what people see of them."""

    def __init__(self, steps: Steps, github: GitHub, session: RequestedSession) -> None:
        self.steps, self.github, self.session = steps, github, session
        self.prompts = Prompts("sessions")
        self.number: int = (steps.row(session) or {})["pull_number"]

    def ask(
        self,
        prompt_id: str,
        kind: PromptKind = PromptKind.COMMENT,
        comment_id: int | None = None,
        threads: tuple[int, ...] = (),
    ) -> None:
        url = f"{self.github.url}/{self.session.repo}/pull/{self.number}"
        prompt = Prompt(
            id=prompt_id,
            kind=kind,
            body="And?",
            author="octo-dev",
            url=url,
            created_at="2026-11-22T10:00:00.000Z",
            comment_id=comment_id,
            threads=tuple(Thread(comment_id=one, place=f"menu.txt, line {one}", url=url) for one in threads),
        )
        store = self.prompts.put if kind is PromptKind.ISSUE else self.prompts.add
        store(self.session.session_id, prompt)

    def answer(self, prompt_id: str, **members: Any) -> None:  # noqa: ANN401 - any member
        made: Json = {"is_error": False, "result": "Here it is.", "created_at": "2026-11-22T10:00:00.000Z"}
        self.prompts.record_turn_result(self.session.session_id, TurnResult(prompt_id=prompt_id, **made | members))
        if members.get("head_sha"):
            self.steps.change(self.session, reported_head_sha=members["head_sha"])

    def publish(self, prompt_id: str) -> None:
        self.steps.publish(self.session, "SESSION", f"TURN_RESULT#{prompt_id}")

    def push(self, message: str) -> str:
        return self.github.add_commit(self.session.repo, self.session.branch, message)

    def replies(self) -> list[str]:
        """All that was said on the pull request beside the status comment."""
        return [
            text
            for text in self.github.comments(self.session.repo, self.number)
            if ":session:" not in text.splitlines()[0]
        ]

    @property
    def status(self) -> str:
        (text,) = (text for text in self.github.comments(self.session.repo, self.number) if ":session:" in text[:60])
        return text

    @property
    def is_draft(self) -> bool:
        return bool(self.github.get(f"/repos/{self.session.repo}/pulls/{self.number}")["draft"])


@pytest.fixture
def talk(steps: Steps, github: GitHub, repo: str) -> Conversation:
    session = steps.claim(repo)
    steps.run_up_to("announce_session", session)
    steps.change(session, status="RUNNING")
    return Conversation(steps, github, session)


def test_an_answer_is_posted_once_with_the_turns_commits_and_the_draft_becomes_ready(talk: Conversation) -> None:
    talk.ask(INITIAL_PROMPT_ID, PromptKind.ISSUE)
    sha = talk.push("Show the menu")
    talk.answer(INITIAL_PROMPT_ID, head_sha=sha)
    for _ in range(3):
        talk.publish(INITIAL_PROMPT_ID)
    (reply,) = talk.replies()
    assert "Reply to [the issue]" in reply
    assert "**Pushed** 1 commit to `claude/1`" in reply
    assert "Show the menu" in reply
    assert not talk.is_draft
    assert "**1 commit on this branch**" in talk.status
    assert "waiting for you" in talk.status


def test_a_reply_stands_once_where_a_part_of_what_is_written_with_it_is_refused(talk: Conversation) -> None:
    talk.ask(ASKED)
    comments = talk.github.get(f"/repos/{talk.session.repo}/issues/{talk.number}/comments")
    talk.github.call("DELETE", f"/repos/{talk.session.repo}/issues/comments/{comments[0]['id']}")
    talk.answer(ASKED, head_sha=talk.push("Show the menu"), description="It shows the menu.")
    talk.publish(ASKED)
    talk.publish(ASKED)
    (reply,) = talk.replies()
    assert "**Pushed** 1 commit to `claude/1`" in reply
    pull = talk.github.get(f"/repos/{talk.session.repo}/pulls/{talk.number}")
    assert "It shows the menu." in pull["body"]
    assert not talk.is_draft


@pytest.mark.parametrize("pictures", [0, 2])
def test_an_answer_leads_to_its_turns_pictures_where_there_are_some(talk: Conversation, pictures: int) -> None:
    talk.ask(ASKED)
    talk.answer(ASKED, pictures=pictures)
    talk.publish(ASKED)
    (reply,) = talk.replies()
    assert ("**Changed pages:** [before and after](http" in reply) is bool(pictures)
    if pictures:
        link = reply.partition("[before and after](")[2].partition(")")[0]
        assert f"{talk.session.session_id}." in link
        assert link.endswith(f"/.uat/#turn-{ASKED}")


def test_the_next_answer_lists_its_own_turns_commits_and_leaves_a_draft_that_a_person_made(talk: Conversation) -> None:
    talk.ask(INITIAL_PROMPT_ID, PromptKind.ISSUE)
    talk.answer(INITIAL_PROMPT_ID, head_sha=talk.push("Show the menu"))
    talk.publish(INITIAL_PROMPT_ID)
    to_draft(talk)
    talk.ask(ASKED)
    talk.answer(ASKED, head_sha=talk.push("Show dessert"))
    talk.publish(ASKED)
    _, reply = talk.replies()
    assert "Show dessert" in reply
    assert "Show the menu" not in reply
    assert "**2 commits on this branch**" in talk.status
    assert talk.is_draft


@pytest.mark.parametrize("is_read_beside", [True, False])
def test_what_a_person_converted_to_a_draft_stays_one_also_in_the_next_session(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch, *, is_read_beside: bool
) -> None:
    talk.ask(INITIAL_PROMPT_ID, PromptKind.ISSUE)
    talk.answer(INITIAL_PROMPT_ID, head_sha=talk.push("Show the menu"))
    talk.publish(INITIAL_PROMPT_ID)
    to_draft(talk)
    steps = talk.steps
    again = followed_by(talk.session)
    steps.put_row(again)
    steps.run_up_to("announce_session", again)
    steps.change(again, status="RUNNING")
    next_talk = Conversation(steps, talk.github, again)
    assert next_talk.number == talk.number
    if not is_read_beside:  # GitHub refused a part of what is asked in one request
        monkeypatch.setattr(FinishedTurns, "read", lambda *_arguments: None)
    next_talk.ask(ASKED)
    next_talk.answer(ASKED, head_sha=next_talk.push("Show dessert"))
    next_talk.publish(ASKED)
    assert "Show dessert" in next_talk.replies()[-1]
    assert next_talk.is_draft


def test_a_person_who_made_it_ready_and_a_draft_again_before_the_first_reply_keeps_the_draft(
    talk: Conversation,
) -> None:
    change_draft(talk, "markPullRequestReadyForReview")
    to_draft(talk)
    talk.ask(INITIAL_PROMPT_ID, PromptKind.ISSUE)
    talk.answer(INITIAL_PROMPT_ID, head_sha=talk.push("Show the menu"))
    talk.publish(INITIAL_PROMPT_ID)
    assert talk.is_draft


def to_draft(talk: Conversation) -> None:
    change_draft(talk, "convertPullRequestToDraft")
    assert talk.is_draft


def change_draft(talk: Conversation, mutation: str) -> None:
    node = talk.github.get(f"/repos/{talk.session.repo}/pulls/{talk.number}")["node_id"]
    query = f'mutation {{ {mutation}(input: {{pullRequestId: "{node}"}}) {{ clientMutationId }} }}'
    talk.github.call("POST", f"{talk.github.url}/api/graphql", query=query)


@pytest.mark.parametrize(
    ("row", "members"),
    [({"ready_for_review": False}, {}), ({}, {"is_error": True}), ({}, {"interrupted": True})],
    ids=["config", "failed", "interrupted"],
)
def test_a_draft_stays_one_when_the_repository_says_so_or_the_turn_did_not_end_well(
    talk: Conversation, row: dict[str, Any], members: dict[str, Any]
) -> None:
    if row:
        talk.steps.change(talk.session, **row)
    talk.ask(ASKED)
    talk.answer(ASKED, head_sha=talk.push("Show the menu"), **members)
    talk.publish(ASKED)
    assert talk.is_draft
    assert ("**This turn" in talk.replies()[0]) is bool(members)


def test_pushed_is_not_said_of_a_commit_that_the_branch_does_not_have(talk: Conversation) -> None:
    talk.ask(ASKED)
    talk.answer(ASKED, head_sha="a" * 40)
    talk.publish(ASKED)
    (reply,) = talk.replies()
    assert "Pushed" not in reply
    assert "isn't on the branch" in reply
    assert talk.is_draft


def test_an_answer_that_github_took_without_our_knowing_is_not_posted_again(talk: Conversation) -> None:
    talk.ask(ASKED)
    talk.answer(ASKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publications, "record_reply", crash)
        with contextlib.suppress(GitHubUnavailableError):
            talk.publish(ASKED)
    assert len(talk.replies()) == 1
    talk.publish(ASKED)
    assert len(talk.replies()) == 1
    key = turn_result_key(talk.session.session_id, ASKED)
    assert talk.steps.table.get_item(Key=key)["Item"]["reply_id"]


def crash(*_arguments: object) -> None:
    raise GitHubUnavailableError("the connection was cut after GitHub had written")


@pytest.fixture
def line_comment(talk: Conversation, clone: Callable[[str], Clone]) -> int:
    """The id of a person's comment on a line of the pull request."""
    work = clone(talk.session.repo)
    work.run("checkout", "--quiet", talk.session.branch)
    work.commit("menu.txt")
    work.push(talk.session.branch)
    path = f"/repos/{talk.session.repo}/pulls/{talk.number}/comments"
    made = talk.github.call("POST", path, body="Why?", path="menu.txt", line=1, side="RIGHT")
    return int(made["id"])


@pytest.mark.parametrize("in_reply", [False, True], ids=["first of its thread", "a reply itself"])
def test_a_review_comment_is_answered_in_its_thread_once(
    talk: Conversation, line_comment: int, *, in_reply: bool
) -> None:
    asked = line_comment
    path = f"/repos/{talk.session.repo}/pulls/{talk.number}/comments"
    if in_reply:
        asked = int(talk.github.call("POST", f"{path}/{line_comment}/replies", body="And this?")["id"])
    talk.ask(ASKED, PromptKind.REVIEW_COMMENT, asked)
    talk.answer(ASKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publications, "record_reply", crash)
        with contextlib.suppress(GitHubUnavailableError):
            talk.publish(ASKED)
    talk.publish(ASKED)
    replies = [c for c in talk.github.get(path) if c["body"].startswith("<!-- claude-cloud-agent:turn:")]
    assert [line_comment] == [reply["in_reply_to_id"] for reply in replies]
    assert talk.replies() == []


def test_a_reviews_threads_get_their_parts_once_and_the_review_the_rest(talk: Conversation, line_comment: int) -> None:
    path = f"/repos/{talk.session.repo}/pulls/{talk.number}/comments"
    other = int(talk.github.call("POST", path, body="And?", path="menu.txt", line=1, side="RIGHT")["id"])
    talk.ask(ASKED, PromptKind.REVIEW, threads=(line_comment, other, 999_999))
    message = "Thread 1:\nRounded.\nThread 2:\nSorted.\nThread 3:\nDropped.\nOverall:\nAll done."
    talk.answer(ASKED, result=message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publications, "record_reply", crash)
        with contextlib.suppress(GitHubUnavailableError):
            talk.publish(ASKED)
    talk.publish(ASKED)
    in_threads = [(one["in_reply_to_id"], one["body"]) for one in talk.github.get(path) if "in_reply_to_id" in one]
    assert [number for number, _ in in_threads] == [line_comment, other]
    assert ["Rounded." in in_threads[0][1], "Sorted." in in_threads[1][1]] == [True, True]
    (reply,) = talk.replies()
    assert reply.endswith("All done.\n\n**menu.txt, line 999999**\n\nDropped.\n")
    assert "Reply to [octo-dev's review]" in reply


def test_a_review_that_is_answered_in_its_threads_alone_says_so(talk: Conversation, line_comment: int) -> None:
    talk.ask(ASKED, PromptKind.REVIEW, threads=(line_comment,))
    talk.answer(ASKED, result="Thread 1:\nRounded.")
    talk.publish(ASKED)
    assert talk.replies()[0].endswith("Claude replied in 1 thread.\n")


def test_where_the_thread_is_gone_the_answer_stands_on_the_pull_request(talk: Conversation) -> None:
    talk.ask(ASKED, PromptKind.REVIEW_COMMENT, 999_999)
    talk.answer(ASKED)
    talk.publish(ASKED)
    assert len(talk.replies()) == 1


def test_each_session_of_a_pull_request_answers_the_issue_for_itself(talk: Conversation) -> None:
    talk.ask(INITIAL_PROMPT_ID, PromptKind.ISSUE)
    talk.answer(INITIAL_PROMPT_ID, head_sha=talk.push("Show the menu"))
    talk.publish(INITIAL_PROMPT_ID)
    talk.steps.run("close_session", talk.session, status="STOPPED", reason="The label was removed.")
    newer = talk.session.model_copy(update={"session_id": f"c{talk.session.session_id[1:]}"})
    talk.steps.put_row(newer)
    talk.steps.run_up_to("announce_session", newer)
    again = Conversation(talk.steps, talk.github, newer)
    again.ask(INITIAL_PROMPT_ID, PromptKind.ISSUE)
    again.answer(INITIAL_PROMPT_ID, head_sha=again.push("Show dessert"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publications, "record_reply", crash)
        with contextlib.suppress(GitHubUnavailableError):
            again.publish(INITIAL_PROMPT_ID)
    again.publish(INITIAL_PROMPT_ID)
    _, reply = again.replies()
    assert "Show dessert" in reply
    assert "Show the menu" not in reply


def test_an_answer_of_a_session_without_a_pull_request_is_given_up(steps: Steps, repo: str) -> None:
    session = steps.claim(repo)
    Prompts("sessions").record_turn_result(
        session.session_id,
        TurnResult(prompt_id=ASKED, is_error=False, result="", created_at="2026-11-22T10:00:00.000Z"),
    )
    steps.publish(session, f"TURN_RESULT#{ASKED}", "TURN_RESULT#01JD8Y3QF0000000000000000Z")


def test_words_of_claude_can_neither_fake_our_marker_nor_mention_anybody(talk: Conversation) -> None:
    fake = f"<!-- claude-cloud-agent:session:{talk.session.session_id} -->"
    talk.ask(ASKED)
    talk.answer(ASKED, result=f"{fake}\n@octo-dev </details>")
    talk.publish(ASKED)
    (reply,) = talk.replies()
    assert fake not in reply
    assert "@octo" not in reply
    talk.steps.forget(talk.session, "comment_id")
    talk.steps.run("announce_session", talk.session, pull_number=talk.number)
    assert "### 🟢 Running" in talk.status


def test_what_the_pull_requests_title_closes_is_said_until_the_end(talk: Conversation) -> None:
    path = f"/repos/{talk.session.repo}/pulls/{talk.number}"
    talk.github.call("PATCH", path, title="Fixes #77: show the menu")
    talk.ask(ASKED)
    talk.answer(ASKED, head_sha=talk.push("Show the menu"))
    talk.publish(ASKED)
    talk.steps.publish(talk.session)
    note = "**Merging closes \\#\u206077**, because the pull request's title or a commit message says so."
    assert note in talk.status
    talk.steps.run("close_session", talk.session, status="STOPPED", reason="Stopped by octo-dev.")
    assert note in talk.status

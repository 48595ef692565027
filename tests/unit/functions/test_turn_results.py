"""The reply to a prompt: what it answers, Claude's words, and what GitHub's own branch confirms."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_agent.domain.conversation.messages import BODY_LIMIT
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind, Thread
from cloud_agent.domain.conversation.turn_results import Pushed, TurnResult, reply, thread_reply, turn_marker
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX
from cloud_agent.domain.session.agent_reports import RESULT_LIMIT
from cloud_agent.domain.session.provenance import Commit

ID, PROMPT_ID = "09e22a8b", "01JD8Y3QF0000000000000000A"
SHA = "a" * 40
COMMIT = Commit(SHA, "Show the menu", f"https://github.com/acme/shop/commit/{SHA}")


PROMPT = Prompt(
    id=PROMPT_ID, kind=PromptKind.COMMENT, body="b", author="octo_dev", url="https://github.com/x", created_at=""
)


def said(
    kind: PromptKind = PromptKind.COMMENT,
    pushed: Pushed | None = None,
    prompt: Prompt | None = None,
    **members: Any,  # noqa: ANN401 - any member
) -> str:
    prompt = prompt or PROMPT.model_copy(update={"kind": kind})
    made: dict[str, Any] = {"prompt_id": PROMPT_ID, "is_error": False, "result": "Done.", "created_at": ""}
    return reply(TurnResult(**made | members), prompt, pushed or Pushed(is_on_branch=False), ID, "claude/42")


def test_every_sessions_answer_has_a_marker_of_its_own() -> None:
    assert said().startswith(turn_marker(PROMPT_ID, ID) + "\n")
    assert turn_marker(INITIAL_PROMPT_ID, ID) != turn_marker(INITIAL_PROMPT_ID, "00000000")


def test_claude_s_words_hold_no_marker_by_which_a_comment_is_found() -> None:
    hard = f"`{OWN_PREFIX}`\n\n```\n{turn_marker(PROMPT_ID, ID)}\n```"
    turn = TurnResult(prompt_id=PROMPT_ID, is_error=False, result=hard, created_at="")
    in_thread = thread_reply(turn, ID, Thread(comment_id=7, place="`a.py`, line 1", url=""), hard)
    commit = Commit(SHA, hard, COMMIT.url, author=hard)
    for comment in (said(result=hard, pushed=Pushed(is_on_branch=True, commits=(commit,))), in_thread):
        assert comment.count(OWN_PREFIX) == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (PromptKind.ISSUE, "Reply to [the issue](https://github.com/x):"),
        (PromptKind.PULL_REQUEST, "Reply to [the pull request](https://github.com/x):"),
        (PromptKind.COMMENT, "Reply to [octo\\_dev's comment](https://github.com/x):"),
        (PromptKind.REVIEW, "Reply to [octo\\_dev's review](https://github.com/x):"),
    ],
)
def test_a_reply_links_what_it_answers(kind: PromptKind, words: str) -> None:
    assert words in said(kind).splitlines()


def test_what_was_left_out_of_a_prompt_is_said_in_small_print() -> None:
    prompt = PROMPT.model_copy(update={"left_out": ("an HTML comment", "a link's title", "invisible characters")})
    assert (
        "<sub>Something hidden in the comment was left out: an HTML comment, a link's title and invisible characters."
        "</sub>"
    ) in said(prompt=prompt).splitlines()
    assert "<sub>" not in said()


@pytest.mark.parametrize(("editor", "by"), [("@zoe", " by \\@\u2060zoe"), ("", "")])
def test_an_issue_that_was_edited_after_the_label_is_said_to_be(editor: str, by: str) -> None:
    prompt = PROMPT.model_copy(update={"kind": PromptKind.ISSUE, "is_edited": True, "edited_by": editor})
    assert f"<sub>The issue was edited{by} after the label was added.</sub>" in said(prompt=prompt).splitlines()


def test_a_comment_that_somebody_else_edited_is_said_to_be() -> None:
    prompt = PROMPT.model_copy(update={"is_edited": True, "edited_by": "zoe"})
    small_print = "<sub>The comment was edited by zoe after octo\\_dev wrote it.</sub>"
    assert small_print in said(prompt=prompt).splitlines()


def test_in_its_own_thread_a_reply_needs_no_link() -> None:
    assert "In answer" not in said(PromptKind.REVIEW_COMMENT)


def test_a_turns_pictures_are_linked_and_not_shown() -> None:
    page = "https://09e22a8b.uat.example.com/.uat/"
    turn = TurnResult(prompt_id=PROMPT_ID, is_error=False, result="Done.", created_at="")
    text = reply(turn, PROMPT, Pushed(is_on_branch=False), ID, "claude/42", page)
    assert f"**Changed pages:** [before and after]({page}#turn-{PROMPT_ID})" in text.splitlines()
    assert "![" not in text
    assert "Changed pages" not in said()


def test_pushed_is_said_of_what_the_branch_has_and_of_nothing_else() -> None:
    assert "**Pushed** 1 commit to `claude/42`:" in said(
        head_sha=SHA, pushed=Pushed(is_on_branch=True, commits=(COMMIT,))
    )
    assert f"[`{SHA[:7]}`]({COMMIT.url}) Show the menu" in said(
        head_sha=SHA, pushed=Pushed(is_on_branch=True, commits=(COMMIT,))
    )
    missing = said(head_sha=SHA)
    assert "Pushed" not in missing
    assert "isn't on the branch" in missing
    assert "Pushed" not in said(pushed=Pushed(is_on_branch=True, commits=(COMMIT,)))


@pytest.mark.parametrize("pushed", [Pushed(is_on_branch=False), Pushed(is_on_branch=True, commits=(COMMIT,))])
def test_the_name_of_a_branch_is_code_whatever_backticks_are_in_it(pushed: Pushed) -> None:
    turn = TurnResult(prompt_id=PROMPT_ID, is_error=False, result="Done.", created_at="", head_sha=SHA)
    assert "`` fix`@octo-dev ``" in reply(turn, PROMPT, pushed, ID, "fix`@octo-dev")


def test_a_turn_that_was_interrupted_or_failed_says_so() -> None:
    assert "**This turn was interrupted**" in said(interrupted=True, is_error=True)
    assert "**This turn failed.** Comment again" in said(is_error=True)
    assert "**This turn" not in said()


@pytest.mark.parametrize("result", ["", " \n ", "\n\n"])
def test_silence_is_said(result: str) -> None:
    assert "Claude finished without a message." in said(result=result)


def test_a_long_answer_is_folded_and_fits() -> None:
    commits = tuple(Commit(f"{n:040x}", "@a" * 100, COMMIT.url) for n in range(1_000))
    text = said(result="@" * RESULT_LIMIT, head_sha=SHA, pushed=Pushed(is_on_branch=True, commits=commits))
    assert "<details><summary>Claude's full message (8,000 characters)</summary>" in text
    assert len(text) <= BODY_LIMIT
    assert "<details>" not in said(result="x" * 4_000)

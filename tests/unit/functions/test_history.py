"""What the next session of an issue gets of the earlier ones."""

from __future__ import annotations

from typing import Any

from tests.kit.sessions import a_session

from cloud_agent.domain.conversation.history import HISTORY_LIMIT, EarlierSession, Turn, history_of
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind
from cloud_agent.domain.conversation.turn_results import TurnResult


def _turn(question: str, result: str, **members: Any) -> Turn:  # noqa: ANN401 - members of a result
    prompt = Prompt(id="1" * 26, kind=PromptKind.COMMENT, body=question, author="eve", url="u", created_at="c")
    answer = {"prompt_id": prompt.id, "is_error": False, "result": result, "created_at": "c"}
    return Turn(prompt, TurnResult.model_validate(answer | members))


def test_an_issues_first_session_has_no_history() -> None:
    assert history_of([]) == ""


def test_a_session_that_did_nothing_says_why_it_ended() -> None:
    failed = a_session(status="FAILED", end_reason="`dev` is no string\n# Obey")
    assert "ended: failed" in history_of([EarlierSession(failed, [])])
    assert r"\`dev\` is no string \# Obey." in history_of([EarlierSession(failed, [])])


def test_a_session_that_is_ending_still_ends_as_it_is_asked_to() -> None:
    ending = a_session(status="RUNNING", ending={"status": "STOPPED", "reason": "Restarted by octo-dev."})
    text = history_of([EarlierSession(ending, [_turn("Red.", "Half of it.", interrupted=True)])])
    assert "The turn was interrupted:" in text
    assert text.endswith("Restarted by octo-dev.")
    assert "ended: stopped" in text


def test_the_newest_is_kept_of_what_does_not_fit() -> None:
    earlier = [EarlierSession(a_session(), [_turn(f"Question {n}.", "x" * 2_900) for n in range(9)])]
    text = history_of(earlier)
    assert len(text) <= HISTORY_LIMIT + 100
    assert text.startswith("(Anything earlier is left out.)")
    assert "Question 2." not in text
    assert "Question 8." in text

"""What the next session of a pull request is asked of what the one before has left unanswered."""

from __future__ import annotations

from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind, PromptState, inherited


def _prompt(number: int, state: PromptState = PromptState.PENDING, failures: int = 0) -> Prompt:
    return Prompt(
        id=f"{number:026d}",
        kind=PromptKind.ISSUE if number == 0 else PromptKind.COMMENT,
        body="Please.",
        author="octo-dev",
        url="u",
        created_at="2026-11-22T08:00:00.000Z",
        state=state,
        failures=failures,
    )


def test_the_issue_itself_is_not_inherited() -> None:
    assert _prompt(0).id == INITIAL_PROMPT_ID
    assert inherited([_prompt(0, PromptState.TAKEN)], has_failed=True).taken_over == ()


def test_what_was_being_worked_on_waits_again_and_counts_the_failure() -> None:
    inheritance = inherited([_prompt(1, PromptState.TAKEN), _prompt(2)], has_failed=True)
    assert (_prompt(1, failures=1), _prompt(2)) == inheritance.taken_over
    assert inheritance.abandoned == ()


def test_a_session_that_people_ended_is_no_failure_of_its_prompt() -> None:
    taken = _prompt(1, PromptState.TAKEN, failures=1)
    assert (_prompt(1, failures=1),) == inherited([taken], has_failed=False).taken_over


def test_a_prompt_that_ends_every_session_is_abandoned_and_does_not_hold_up_the_rest() -> None:
    poison = _prompt(1, PromptState.TAKEN, failures=1)
    inheritance = inherited([poison, _prompt(2)], has_failed=True)
    assert (poison,) == inheritance.abandoned
    assert (_prompt(2),) == inheritance.taken_over

"""Prompts and results of an issue's earlier sessions, as part of the next one's first prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import fenced, shortened
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_agent.domain.conversation.turn_results import TurnResult

HISTORY_LIMIT = 20_000  # characters in all: with an issue's 65,536 of up to four bytes far below DynamoDB's 400 KB
_PIECE_LIMIT = 3_000  # characters of one question or answer
_ISSUE = "(The issue, as it was then.)"
_HEADING = (
    "## What earlier sessions did\n\n"
    "Earlier sessions worked on this issue, and their commits are on the branch. "
    "Their prompts and results follow, oldest first."
)


@dataclass(frozen=True)
class Turn:
    """A prompt and its answer."""

    prompt: Prompt
    answer: TurnResult


def turns_of(prompts: Iterable[Prompt], answers: Iterable[TurnResult]) -> list[Turn]:
    """Return the answered prompts of one session, in order. Unanswered ones are asked again instead."""
    by_prompt = {answer.prompt_id: answer for answer in answers}
    return [Turn(prompt, by_prompt[prompt.id]) for prompt in prompts if prompt.id in by_prompt]


def with_history(body: str, turns: Sequence[Turn]) -> str:
    """Return the issue's text, followed by the turns, as many of the newest as fit."""
    included: list[str] = []
    left = HISTORY_LIMIT
    for turn in reversed(turns):
        text = _text_of(turn)
        left -= len(text)
        if left < 0:
            included.append("(Earlier turns are left out.)")
            break
        included.append(text)
    return "\n\n".join([body, _HEADING, *reversed(included)]) if included else body


def _text_of(turn: Turn) -> str:
    is_issue = turn.prompt.id == INITIAL_PROMPT_ID
    question = _ISSUE if is_issue else fenced(shortened(turn.prompt.body, _PIECE_LIMIT))
    outcome = "failed" if turn.answer.is_error else "was interrupted" if turn.answer.interrupted else "ended"
    answer = fenced(shortened(turn.answer.result, _PIECE_LIMIT)) if turn.answer.result else "(no message)"
    return f"### {turn.prompt.author}, {turn.prompt.created_at}\n\n{question}\n\nThe turn {outcome}:\n\n{answer}"

"""What earlier sessions of an issue were asked and what they answered, as part of the next one's first prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import fenced, shortened
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_agent.domain.conversation.answers import Answer

HISTORY_LIMIT = 20_000  # characters in all: with an issue's 65,536 of up to four bytes far below DynamoDB's 400 KB
_PIECE_LIMIT = 3_000  # characters of one question or answer
_ISSUE = "(The issue itself, as it was then.)"
_HEADING = (
    "## What earlier sessions did\n\n"
    "Earlier sessions worked on this issue; what they committed is on the branch. "
    "This is what they were asked, and what they answered, oldest first."
)


@dataclass(frozen=True)
class Turn:
    """A prompt and its answer."""

    prompt: Prompt
    answer: Answer


def turns_of(prompts: Iterable[Prompt], answers: Iterable[Answer]) -> list[Turn]:
    """Return the answered prompts of one session, in order. What is unanswered is asked again, not told."""
    by_prompt = {answer.prompt_id: answer for answer in answers}
    return [Turn(prompt, by_prompt[prompt.id]) for prompt in prompts if prompt.id in by_prompt]


def with_history(body: str, turns: Sequence[Turn]) -> str:
    """Return the issue's text, followed by the turns, as many of the newest as fit."""
    told: list[str] = []
    left = HISTORY_LIMIT
    for turn in reversed(turns):
        words = _told(turn)
        left -= len(words)
        if left < 0:
            told.append("(What came before is left out.)")
            break
        told.append(words)
    return "\n\n".join([body, _HEADING, *reversed(told)]) if told else body


def _told(turn: Turn) -> str:
    is_issue = turn.prompt.id == INITIAL_PROMPT_ID
    question = _ISSUE if is_issue else fenced(shortened(turn.prompt.body, _PIECE_LIMIT))
    outcome = "failed" if turn.answer.is_error else "was interrupted" if turn.answer.interrupted else "ended"
    answer = fenced(shortened(turn.answer.result, _PIECE_LIMIT)) if turn.answer.result else "(without words)"
    return f"### {turn.prompt.author}, {turn.prompt.created_at}\n\n{question}\n\nThe turn {outcome}:\n\n{answer}"

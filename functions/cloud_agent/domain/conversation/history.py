"""What an issue's earlier sessions were asked, what came of it and why they ended, for the next one's first prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import fenced, plain, sentence, shortened
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_agent.domain.conversation.turn_results import TurnResult
    from cloud_agent.domain.session.session import Session

HISTORY_LIMIT = 20_000  # characters in all: with an issue's 65,536 of up to four bytes far below DynamoDB's 400 KB
_PIECE_LIMIT = 3_000  # characters of one question or answer
_REASON_LIMIT = 500  # characters of why a session ended
_FIRST = "(The issue or pull request, as it was then.)"


@dataclass(frozen=True)
class Turn:
    """A prompt and what its turn came to."""

    prompt: Prompt
    result: TurnResult


@dataclass(frozen=True)
class EarlierSession:
    """A session of the same issue, and its turns."""

    session: Session
    turns: Sequence[Turn]


def turns_of(prompts: Iterable[Prompt], results: Iterable[TurnResult]) -> list[Turn]:
    """Return the answered prompts of one session, in order. Unanswered ones are asked again instead."""
    by_prompt = {result.prompt_id: result for result in results}
    return [Turn(prompt, by_prompt[prompt.id]) for prompt in prompts if prompt.id in by_prompt]


def history_of(sessions: Sequence[EarlierSession]) -> str:
    """Return what the sessions did and how they ended, oldest first, as much of the newest as fits; mostly nothing."""
    pieces = [piece for earlier in sessions for piece in (*map(_turn, earlier.turns), _end(earlier.session))]
    included: list[str] = []
    left = HISTORY_LIMIT
    for piece in reversed(pieces):
        left -= len(piece)
        if left < 0:
            included.append("(Anything earlier is left out.)")
            break
        included.append(piece)
    return "\n\n".join(reversed(included))


def _turn(turn: Turn) -> str:
    is_first = turn.prompt.id == INITIAL_PROMPT_ID
    question = _FIRST if is_first else fenced(shortened(turn.prompt.body, _PIECE_LIMIT))
    outcome = "failed" if turn.result.is_error else "was interrupted" if turn.result.interrupted else "ended"
    message = fenced(shortened(turn.result.result, _PIECE_LIMIT)) if turn.result.result else "(no message)"
    return f"### {turn.prompt.author}, {turn.prompt.created_at}\n\n{question}\n\nThe turn {outcome}:\n\n{message}"


def _end(session: Session) -> str:
    """Return how a session ended; one that this one follows is ending still."""
    reason = session.end_reason or (session.ending.reason if session.ending else "")
    status = session.ending.status if session.ending and session.status.is_live else session.status
    why = f" {sentence(plain(shortened(reason, _REASON_LIMIT)))}" if reason else ""
    return f"### Session {session.session_id} ended: {status.lower()}\n\nRequested at {session.created_at}.{why}"

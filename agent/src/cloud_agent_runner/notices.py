"""What was stopped to protect the session, for the result of the turn that people read next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_runner.claude.client import TurnResult


class Notices:
    """Sentences that wait for a turn's result. Each is shown once, however often it was added meanwhile."""

    def __init__(self) -> None:
        self._stopped = ""
        self._sentences: dict[str, None] = {}  # in order, each once

    def turn_stopped(self, reason: str) -> None:
        """Have the running turn end as an error for `reason`."""
        self._stopped = reason

    def add(self, sentence: str) -> None:
        """Have `sentence` stand below the result of the running turn, or of the next."""
        self._sentences[sentence] = None

    def add_to(self, turn: TurnResult) -> TurnResult:
        """Return the result of a turn that has ended with all that waits for it."""
        if self._stopped:
            # What became of Claude Code is no news, but Claude may have finished at the same moment.
            result = self._stopped if turn.is_error else f"{self._stopped}\n\n{turn.result}"
            turn = replace(turn, is_error=True, interrupted=False, result=result)
        if self._sentences:
            turn = replace(turn, result="\n\n".join([turn.result, *self._sentences]))
        self._stopped, self._sentences = "", {}
        return turn

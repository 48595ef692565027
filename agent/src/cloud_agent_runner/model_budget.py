"""How much of the model a session has used, and what it may still use."""

from __future__ import annotations

import enum
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Limit(enum.Enum):
    """What a session has used up."""

    TURNS = "turns"
    BUDGET = "budget"


class LimitReachedError(Exception):
    """A session's limit stands against another call."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"The session has used up its {limit.value}.")
        self.limit = limit


class MeteredCall:
    """One call of the model. It is a model turn unless it fails, and costs its estimate unless its cost is seen."""

    def __init__(self, estimate_usd: float) -> None:
        self.estimate_usd = estimate_usd
        self.is_turn = True
        self.seen_usd: float | None = None

    def costs(self, usd: float) -> None:
        """Note what the response has cost so far."""
        self.seen_usd = usd

    def failed(self, usd: float = 0.0) -> None:
        """Note that there's no response, and what it cost all the same."""
        self.is_turn = False
        self.seen_usd = usd


class ModelBudget:
    """Counts model turns and dollars over all calls of a session, and admits no call beyond either limit.

    A call is admitted while turns and dollars are left, whatever it will cost itself: the budget is exceeded by no more
    than the calls that are open at that moment. The gateway bounds their number and size.
    """

    def __init__(self, max_turns: int, budget_usd: float) -> None:
        self.max_turns = max_turns
        self.budget_usd = budget_usd
        self._turns = 0
        self._cost_usd = 0.0
        self._open: set[MeteredCall] = set()

    @property
    def turns(self) -> int:
        """Model turns so far; an open call is one until it has failed."""
        return self._turns + len(self._open)

    @property
    def cost_usd(self) -> float:
        """Dollars so far, with what is seen of open calls."""
        return self._cost_usd + sum(call.seen_usd or 0.0 for call in self._open)

    @property
    def limit(self) -> Limit | None:
        """What is used up, if anything is."""
        if self.cost_usd >= self.budget_usd:
            return Limit.BUDGET
        return Limit.TURNS if self.turns >= self.max_turns else None

    @contextmanager
    def call(self, estimate_usd: float) -> Iterator[MeteredCall]:
        """Admit a call and meter it while the context lasts.

        Raises:
            LimitReachedError: nothing is left for it.
        """
        if limit := self.limit:
            raise LimitReachedError(limit)
        call = MeteredCall(estimate_usd)
        self._open.add(call)
        try:
            yield call
        finally:
            self._open.remove(call)
            self._cost_usd += call.estimate_usd if call.seen_usd is None else call.seen_usd
            self._turns += call.is_turn

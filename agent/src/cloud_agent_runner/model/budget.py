"""How much of the model a session has used, and what it may still use."""

from __future__ import annotations

import asyncio
import enum
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


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
    """One call of the model: a model turn unless it fails, which costs the most that it may unless its end is seen.

    Were it less, a call would only have to be left to be cheap: whoever hangs up doesn't stop the model.
    """

    def __init__(self, most_usd: float) -> None:
        self.most_usd = most_usd
        self.is_turn = True
        self.seen_usd = 0.0
        self._has_ended = False

    @property
    def usd(self) -> float:
        """What it costs if nothing more is seen of it."""
        return self.seen_usd if self._has_ended else max(self.seen_usd, self.most_usd)

    def costs_so_far(self, usd: float, most_usd: float) -> None:
        """Note what the response has cost so far, and what it may cost in the end."""
        self.seen_usd, self.most_usd = usd, most_usd

    def cost(self, usd: float) -> None:
        """Note what the response has cost in the end."""
        self.seen_usd, self._has_ended = usd, True

    def failed(self) -> None:
        """Note that the provider did nothing."""
        self.is_turn = False
        self.cost(0)


class ModelBudget:
    """Counts model turns and dollars over all calls of a session, and admits no call beyond either limit.

    Whatever the last call costs, it is admitted while anything is left; but calls run beside each other only where the
    most that each may cost is left too. So a session has never more turns than its limit, and exceeds its budget by one
    call, and by what open calls cost beyond the most that was expected of them.
    """

    def __init__(self, max_turns: int, budget_usd: float) -> None:
        self.max_turns = max_turns
        self.budget_usd = budget_usd
        self._turns = 0
        self._cost_usd = 0.0
        self._open: set[MeteredCall] = set()
        self._ended = asyncio.Event()

    @property
    def turns(self) -> int:
        """Model turns so far; an open call is one until it has failed."""
        return self._turns + len(self._open)

    @property
    def cost_usd(self) -> float:
        """Dollars so far, with what is seen of open calls."""
        return self._cost_usd + sum(call.seen_usd for call in self._open)

    @property
    def limit(self) -> Limit | None:
        """What is used up for good, if anything is: an open call may fail yet."""
        if self.cost_usd >= self.budget_usd:
            return Limit.BUDGET
        return Limit.TURNS if self._turns >= self.max_turns else None

    @asynccontextmanager
    async def call(self, most_usd: float) -> AsyncIterator[MeteredCall]:
        """Admit a call, once there's room for it beside those that are open, and meter it while the context lasts.

        Raises:
            LimitReachedError: nothing is left for it.
        """
        call = MeteredCall(most_usd)
        while self.limit is None and not self._has_room_for(call):
            self._ended.clear()
            await self._ended.wait()
        if limit := self.limit:
            raise LimitReachedError(limit)
        self._open.add(call)
        try:
            yield call
        finally:
            self._open.remove(call)
            self._cost_usd += call.usd
            self._turns += call.is_turn
            self._ended.set()

    def _has_room_for(self, call: MeteredCall) -> bool:
        at_most = self._cost_usd + sum(each.most_usd for each in (*self._open, call))
        return not self._open or (self.turns < self.max_turns and at_most <= self.budget_usd)

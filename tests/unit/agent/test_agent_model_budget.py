from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from cloud_agent_runner.model.budget import Limit, LimitReachedError, ModelBudget


def _budget(max_turns: int = 10, budget_usd: float = 1.0) -> ModelBudget:
    return ModelBudget(max_turns, budget_usd)


def _limit(budget: ModelBudget) -> Limit | None:
    """Read it anew, which the type checker doesn't expect of a property."""
    return budget.limit


async def test_turns_and_dollars_add_up_over_calls() -> None:
    budget = _budget()
    for usd in (0.25, 0.5):
        async with budget.call(9) as call:
            call.costs_so_far(0.1, 9)
            call.cost(usd)
    assert (budget.turns, budget.cost_usd, budget.limit) == (2, 0.75, None)


async def test_no_call_is_admitted_once_the_budget_is_used_up_by_what_open_calls_cost() -> None:
    budget = _budget()
    async with budget.call(0.1) as first, budget.call(0.1) as second:
        first.cost(0.6)
        assert _limit(budget) is None
        second.cost(0.4)
        with pytest.raises(LimitReachedError) as reached:
            await budget.call(0).__aenter__()
    assert (reached.value.limit, _limit(budget), budget.cost_usd) == (Limit.BUDGET, Limit.BUDGET, 1.0)


@pytest.mark.parametrize("costs", [0.3, 0.9, 1.5])
async def test_calls_run_beside_each_other_only_where_the_most_that_they_may_cost_is_left(costs: float) -> None:
    budget = _budget()

    async def another() -> None:
        async with budget.call(0.5) as call:
            call.cost(0.5)

    async with AsyncExitStack() as calls:
        first, second = [await calls.enter_async_context(budget.call(0.5)) for _ in range(2)]
        third = asyncio.create_task(another())
        await asyncio.sleep(0)
        assert budget.turns == 2
        first.cost(costs)
        second.cost(0)
    if costs < 1:
        await asyncio.wait_for(third, 1)
        assert (budget.turns, budget.cost_usd) == (3, costs + 0.5)
    else:
        with pytest.raises(LimitReachedError):
            await asyncio.wait_for(third, 1)


async def test_the_last_turn_is_waited_for_so_that_there_are_never_more_than_the_limit() -> None:
    budget = _budget(max_turns=2)

    async def another() -> None:
        async with budget.call(0):
            pass

    async with AsyncExitStack() as calls:
        _first, failing = [await calls.enter_async_context(budget.call(0)) for _ in range(2)]
        waiting = [asyncio.create_task(another()) for _ in range(2)]
        await asyncio.sleep(0)
        assert (budget.turns, _limit(budget)) == (2, None)
        failing.failed()
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
    assert [type(outcome) for outcome in outcomes] == [type(None), LimitReachedError]
    assert (budget.turns, _limit(budget)) == (2, Limit.TURNS)


async def test_a_failed_call_is_no_turn_and_costs_nothing() -> None:
    budget = _budget()
    async with budget.call(1) as call:
        call.costs_so_far(0.3, 1)
        call.failed()
    assert (budget.turns, budget.cost_usd) == (0, 0)


async def test_a_call_whose_end_is_not_seen_costs_the_most_that_it_may_whatever_ended_it() -> None:
    budget = _budget(budget_usd=10)
    with pytest.raises(ZeroDivisionError):
        async with budget.call(1):
            raise ZeroDivisionError
    assert (budget.turns, budget.cost_usd) == (1, 1)
    async with budget.call(1) as call:
        call.costs_so_far(0.25, 0.75)
        assert budget.cost_usd == 1.25
    assert (budget.turns, budget.cost_usd) == (2, 1.75)
    async with budget.call(1) as call:
        call.costs_so_far(2, 1)
    assert budget.cost_usd == 3.75

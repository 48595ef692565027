from __future__ import annotations

import pytest

from cloud_agent_runner.model_budget import Limit, LimitReachedError, ModelBudget


def _budget(max_turns: int = 10, budget_usd: float = 1.0) -> ModelBudget:
    return ModelBudget(max_turns, budget_usd)


def _limit(budget: ModelBudget) -> Limit | None:
    """Read it anew, which the type checker doesn't expect of a property."""
    return budget.limit


def test_turns_and_dollars_add_up_over_calls() -> None:
    budget = _budget()
    for usd in (0.25, 0.5):
        with budget.call(estimate_usd=9) as call:
            call.costs(0.1)
            call.costs(usd)
    assert (budget.turns, budget.cost_usd, budget.limit) == (2, 0.75, None)


def test_no_call_is_admitted_once_the_budget_is_used_up_by_what_open_calls_cost() -> None:
    budget = _budget()
    with budget.call(estimate_usd=9) as first, budget.call(estimate_usd=9) as second:
        first.costs(0.6)
        assert _limit(budget) is None
        second.costs(0.4)
        with pytest.raises(LimitReachedError) as reached, budget.call(estimate_usd=0):
            pass
    assert (reached.value.limit, _limit(budget), budget.cost_usd) == (Limit.BUDGET, Limit.BUDGET, 1.0)


def test_open_calls_are_turns_so_that_there_are_never_more_than_the_limit() -> None:
    budget = _budget(max_turns=2)
    with budget.call(estimate_usd=0), budget.call(estimate_usd=0) as failing:
        assert _limit(budget) is Limit.TURNS
        failing.failed()
    assert (budget.turns, _limit(budget)) == (1, None)


def test_a_failed_call_is_no_turn_but_may_have_a_price() -> None:
    budget = _budget()
    with budget.call(estimate_usd=0.3) as call:
        call.failed()
    with budget.call(estimate_usd=0.3) as call:
        call.failed(call.estimate_usd)
    assert (budget.turns, budget.cost_usd) == (0, 0.3)


def test_a_call_of_which_nothing_is_seen_costs_its_estimate_whatever_ended_it() -> None:
    budget = _budget()
    with pytest.raises(ZeroDivisionError), budget.call(estimate_usd=0.3):
        raise ZeroDivisionError
    assert (budget.turns, budget.cost_usd) == (1, 0.3)

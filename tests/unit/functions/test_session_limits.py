"""How far a session may go: the repository may ask for less than the deployment allows, never for more."""

from __future__ import annotations

from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.sessions import a_session

from cloud_agent.domain.policy.limits import SessionLimits, WantedLimits

DEPLOYMENT = SessionLimits(idle_minutes=60, max_turns=200, budget_usd=Decimal(10))


def test_a_repository_that_says_nothing_gets_the_deployments_limits() -> None:
    assert DEPLOYMENT.lowered_by(WantedLimits()) == DEPLOYMENT


def test_a_repository_may_ask_for_less() -> None:
    wanted = WantedLimits(idle_minutes=5, max_turns=3, budget_usd=0.25)
    assert SessionLimits(idle_minutes=5, max_turns=3, budget_usd=Decimal("0.25")) == DEPLOYMENT.lowered_by(wanted)


@given(
    idle=st.none() | st.integers(1, 1_440),
    turns=st.none() | st.integers(1, 100_000),
    budget=st.none() | st.floats(min_value=0, max_value=100_000, exclude_min=True),
)
def test_no_setting_raises_a_limit_or_breaks_the_row(idle: int | None, turns: int | None, budget: float | None) -> None:
    limits = DEPLOYMENT.lowered_by(WantedLimits(idle_minutes=idle, max_turns=turns, budget_usd=budget))
    assert limits.idle_minutes <= 60
    assert limits.max_turns <= 200
    assert limits.budget_usd <= 10
    assert TypeSerializer().serialize(limits.budget_usd)


def test_a_row_stands_before_the_deployment() -> None:
    assert DEPLOYMENT.of(a_session()) == DEPLOYMENT
    of_row = a_session(idle_minutes=5, max_turns=3, budget_usd=Decimal(0))
    assert SessionLimits(idle_minutes=5, max_turns=3, budget_usd=Decimal(0)) == DEPLOYMENT.of(of_row)


@pytest.mark.parametrize(
    ("turns", "cost", "expected"),
    [
        (199, "9.999999", None),
        (0, "10", "The session's budget of $10.00 is used up ($10.00 spent)."),
        (7, "10.02", "The session's budget of $10.00 is used up ($10.02 spent)."),
        (200, "1", "The session's limit of 200 turns is used up (200 taken)."),
        (203, "11", "The session's budget of $10.00 is used up ($11.00 spent)."),
    ],
)
def test_a_limit_is_reached_in_words_for_people(turns: int, cost: str, expected: str | None) -> None:
    assert expected == DEPLOYMENT.reached_by(turns, Decimal(cost))

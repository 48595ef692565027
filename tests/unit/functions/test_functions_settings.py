"""A function's environment: complete, or named."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from cloud_agent.domain.errors import ConfigurationError
from cloud_agent.domain.policy.limits import SessionLimits
from cloud_agent.domain.policy.slots import SlotLimits
from cloud_agent.settings import (
    FUNCTIONS,
    AgentApiSettings,
    PublishingSettings,
    ReconcilerSettings,
    WebhookSettings,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_functions_settings_are_read_from_its_environment(environment: Callable[..., None], function: str) -> None:
    assert load(FUNCTIONS[function]).sessions_table == "sessions"


def test_a_missing_variable_is_named(environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_MACHINE_ARN")
    with pytest.raises(ConfigurationError, match=r"WebhookSettings .*STATE_MACHINE_ARN: Field required"):
        load(WebhookSettings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UAT_URL", "uat.example.com"),
        ("UAT_ACCESS", "everybody"),
        ("GITHUB_API_URL", "file:///etc"),
        ("SESSIONS_TABLE", ""),
    ],
)
def test_an_unusable_variable_is_named(environment: Callable[..., None], name: str, value: str) -> None:
    environment(**{name: value})
    with pytest.raises(ConfigurationError, match=name):
        load(PublishingSettings)


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_TURNS", "0"), ("MAX_BUDGET_USD", "-1"), ("MAX_BUDGET_USD", "NaN"), ("IDLE_MINUTES", "1.5")],
)
def test_a_limit_that_is_none_is_named(environment: Callable[..., None], name: str, value: str) -> None:
    environment(**{name: value})
    with pytest.raises(ConfigurationError, match=name):
        load(AgentApiSettings)


def test_the_limits_of_sessions_and_slots_are_those_of_the_deployment(environment: Callable[..., None]) -> None:
    expected = SessionLimits(idle_minutes=60, max_turns=200, budget_usd=Decimal(10))
    assert expected == load(AgentApiSettings).session_limits
    assert SlotLimits(20, 5) == load(ReconcilerSettings).slot_limits

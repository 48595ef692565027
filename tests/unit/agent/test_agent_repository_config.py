from __future__ import annotations

import pytest
from pydantic import ValidationError

from cloud_agent_runner.claude.tools import ALLOWED_TOOLS
from cloud_agent_runner.repository.config import RepositoryConfig


def test_nothing_said_leaves_everything_to_the_deployment() -> None:
    config = RepositoryConfig()
    said = config.model_dump(
        exclude={
            *("host_header", "env", "ready_for_review", "secret_scan_ignore", "allowed_tools", "claude_settings"),
            *("cache", "ports"),
        }
    )
    assert {None} == set(said.values())
    assert config.host_header == "localhost"
    assert (config.env, config.ports, config.ready_for_review, config.secret_scan_ignore) == ([], {}, True, [])
    assert list(ALLOWED_TOOLS) == config.allowed_tools
    assert (config.claude_settings, config.cache) == (True, True)


@pytest.mark.parametrize(
    "document",
    [
        {"host_header": "Public"},
        {"host_header": "shop.example"},
        {"host_header": True},
        {"env": ["lower_case"]},
        {"env": ["1ST"]},
        {"env": ["A" * 65]},
        {"env": [f"SECRET_{number}" for number in range(51)]},
        {"env": ["PATH"]},
        {"env": {"STRIPE_KEY": "a value"}},
        {"model": "--help"},
        {"model": "x" * 201},
        {"max_turns": 0},
        {"max_turns": True},
        {"max_turns": 1.5},
        {"budget_usd": 0},
        {"budget_usd": float("inf")},
        {"budget_usd": float("nan")},
        {"max_turns": 100_001},
        {"budget_usd": 0.001},
        {"budget_usd": 100_001},
        {"idle_minutes": 0},
        {"idle_minutes": 1441},
        {"ready_for_review": "no"},
        {"allowed_tools": []},
        {"allowed_tools": ["WebFetch"]},
        {"install": None},
        {"port": 0},
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RepositoryConfig.model_validate(document)


@pytest.mark.parametrize(
    "model", ["claude-sonnet-5", "claude-opus-4-5[1m]", "eu.anthropic.claude-sonnet-5-v1:0", "arn:aws:bedrock:x:1:y/z"]
)
def test_models_of_both_providers_can_be_named(model: str) -> None:
    assert model == RepositoryConfig(model=model).model


def test_whole_dollars_are_dollars() -> None:
    assert RepositoryConfig.model_validate({"budget_usd": 3}).budget_usd == 3

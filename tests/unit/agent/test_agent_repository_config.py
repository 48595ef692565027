from __future__ import annotations

import pytest
from pydantic import ValidationError

from cloud_agent_runner.claude.tools import ALLOWED_TOOLS
from cloud_agent_runner.repository.config import RepositoryConfig


def test_nothing_said_leaves_everything_to_the_deployment() -> None:
    config = RepositoryConfig()
    said = {key: value for key, value in config.model_dump().items() if value is not None}
    assert said.pop("allowed_tools") == list(ALLOWED_TOOLS)
    assert said == {
        "ports": {},
        "host_header": "localhost",
        "reload": True,
        "cache": True,
        "commit_author": "app",
        "env": [],
        "ready_for_review": True,
        "tracker_keys": [],
        "secret_scan_ignore": [],
        "claude_settings": True,
    }


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
        {"tracker_keys": ["php"]},
        {"tracker_keys": ["AGNTS-1"]},
        {"tracker_keys": ["AGNTS"] * 21},
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

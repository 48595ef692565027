"""Which model a session begins with, and what a person's choice changes."""

from __future__ import annotations

import pytest

from cloud_agent_runner.model.choice import ModelChoice, ModelProviderError, first_choice
from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.repository.config_file import RepositoryConfigError
from cloud_agent_runner.settings import Settings

ENVIRONMENT = {
    "SESSION_ID": "0a1b2c3d", "SESSION_TOKEN": "s", "TASK_TOKEN": "t", "REPOSITORY": "acme/lunch", "BRANCH": "b",
    "AGENT_API_URL": "https://api.example", "GITHUB_URL": "https://github.example", "ANTHROPIC_API_KEY": "k",
    "CLAUDE_MODEL": "claude-sonnet-5-5",
}  # fmt: skip


def _first(config: RepositoryConfig, **more: str) -> ModelChoice:
    return first_choice(Settings.from_environment(ENVIRONMENT | more), config)


def test_a_session_begins_with_the_deployments_model_or_the_repositorys() -> None:
    assert _first(RepositoryConfig()) == ModelChoice("claude-sonnet-5-5")
    chosen = RepositoryConfig(model="claude-opus-5-5", effort="max")
    assert _first(chosen) == _first(chosen, ALLOWED_MODELS="claude-fable-*,claude-opus-*")
    assert _first(chosen) == ModelChoice("claude-opus-5-5", "max")


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-5-5x", "CLAUDE-HAIKU-5-5", "x-claude-haiku-5-5"])
def test_another_model_than_the_deployment_allows_is_refused_by_name(model: str) -> None:
    with pytest.raises(RepositoryConfigError) as refused:
        _first(RepositoryConfig(model=model), ALLOWED_MODELS="claude-haiku-*")
    assert str(refused.value) == (
        f".github/claude-cloud-agent.yml: `model`: {model} isn't allowed by this deployment's `AllowedModels`. "
        "Allowed: claude-sonnet-5-5, claude-haiku-*."
    )
    assert _first(RepositoryConfig(model="claude-sonnet-5-5"), ALLOWED_MODELS="claude-haiku-*").model


def test_what_a_person_chose_outranks_it_and_keeps_the_effort_unless_it_has_its_own() -> None:
    first = ModelChoice("claude-sonnet-5-5", "low")
    assert first.unless(None) == first
    assert first.unless(ModelChoice("claude-opus-5-5")) == ModelChoice("claude-opus-5-5", "low")
    assert first.unless(ModelChoice("claude-opus-5-5", "max")) == ModelChoice("claude-opus-5-5", "max")


BEDROCKS = [
    "anthropic.claude-sonnet-5-5",
    "us.anthropic.claude-opus-4-6-v1",
    "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc",
]


@pytest.mark.parametrize("model", BEDROCKS)
def test_a_model_of_bedrocks_is_for_bedrock_or_a_gateway(model: str) -> None:
    assert _first(RepositoryConfig(), MODEL_PROVIDER="bedrock", CLAUDE_MODEL=model).model == model
    assert _first(RepositoryConfig(), ANTHROPIC_BASE_URL="https://gateway.example", CLAUDE_MODEL=model).model == model
    with pytest.raises(ModelProviderError, match=f"^`ClaudeModel`: {model} is an id of Bedrock's, and the deployment"):
        _first(RepositoryConfig(), CLAUDE_MODEL=model)
    with pytest.raises(RepositoryConfigError, match=f"`model`: {model} is an id of Bedrock's"):
        _first(RepositoryConfig(model=model))


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "claude-sonnet-4-5-20250929", "opus", "amazon.nova-pro-v1:0"])
def test_bedrock_takes_a_model_of_bedrocks_alone(model: str) -> None:
    with pytest.raises(ModelProviderError, match=f"^`ClaudeModel`: {model} isn't an id that Bedrock has"):
        _first(RepositoryConfig(), MODEL_PROVIDER="bedrock", CLAUDE_MODEL=model)
    with pytest.raises(RepositoryConfigError, match=f"`model`: {model} isn't an id that Bedrock has"):
        _first(RepositoryConfig(model=model), MODEL_PROVIDER="bedrock", CLAUDE_MODEL=BEDROCKS[0])

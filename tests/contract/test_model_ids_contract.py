"""Webhook and agent agree on whose model an id is: what `/model` takes is what a session can begin with."""

from __future__ import annotations

import pytest

from cloud_agent.domain.session.model_choice import ModelProvider
from cloud_agent_runner.model.choice import ModelProviderError, first_choice
from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.settings import Settings

ENVIRONMENT = {
    "SESSION_ID": "0a1b2c3d", "SESSION_TOKEN": "s", "TASK_TOKEN": "t", "REPOSITORY": "acme/lunch", "BRANCH": "b",
    "AGENT_API_URL": "https://api.example", "GITHUB_URL": "https://github.example", "ANTHROPIC_API_KEY": "k",
}  # fmt: skip
IDS = (
    "claude-sonnet-5-5",
    "opus",
    "anthropic.claude-sonnet-5-5",
    "us.anthropic.claude-opus-4-6-v1:0",
    "us-gov.anthropic.claude-sonnet-5-5",
    "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc",
    "amazon.nova-pro-v1:0",
    "xanthropic.claude",
)


@pytest.mark.parametrize("model", IDS)
@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
@pytest.mark.parametrize("base_url", ["https://api.anthropic.com", "https://gateway.example"])
def test_webhook_and_agent_take_the_same_ids(provider: str, base_url: str, model: str) -> None:
    given = {"MODEL_PROVIDER": provider, "ANTHROPIC_BASE_URL": base_url, "CLAUDE_MODEL": model}
    try:
        first_choice(Settings.from_environment(ENVIRONMENT | given), RepositoryConfig())
        agents = True
    except ModelProviderError:
        agents = False
    assert ModelProvider(provider == "bedrock", base_url).may_have(model) is agents

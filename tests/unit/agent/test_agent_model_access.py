from __future__ import annotations

import pytest

from cloud_agent_runner.model.access import model_api, pinned_model
from cloud_agent_runner.model.api import AnthropicApi, ModelApi
from cloud_agent_runner.model.bedrock import BedrockApi
from cloud_agent_runner.settings import Platform, Settings

GIVEN = {
    "SESSION_ID": "09e22a8b",
    "SESSION_TOKEN": "s",
    "TASK_TOKEN": "t",
    "REPOSITORY": "acme/lunch",
    "BRANCH": "claude/42",
    "AGENT_API_URL": "https://api.example.com",
    "GITHUB_URL": "https://github.com",
    "CLAUDE_MODEL": "claude-sonnet-5",
    "ANTHROPIC_API_KEY": "sk-ant-the-real-key",
}
ROLE = {"AWS_REGION": "eu-west-1", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/the-role"}
URL = "http://127.0.0.1:21000"


def _api(model: str = "claude-sonnet-5", **more: str) -> ModelApi:
    return model_api(Settings.from_environment(GIVEN | more), Platform.from_environment(ROLE), model)


def test_with_anthropic_claude_code_gets_the_gateway_and_a_placeholder() -> None:
    api = _api()
    assert isinstance(api, AnthropicApi)
    assert api.environment(URL, "placeholder-1") == {"ANTHROPIC_BASE_URL": URL, "ANTHROPIC_API_KEY": "placeholder-1"}


def test_with_bedrock_claude_code_gets_the_gateway_and_a_placeholder_and_no_way_to_the_role() -> None:
    api = _api(MODEL_PROVIDER="bedrock")
    assert isinstance(api, BedrockApi)
    assert api.environment(URL, "placeholder-1") == {
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "CLAUDE_CODE_SKIP_BEDROCK_AUTH": "1",
        "ANTHROPIC_BEDROCK_BASE_URL": URL,
        "ANTHROPIC_AUTH_TOKEN": "placeholder-1",
        "AWS_REGION": "eu-west-1",
    }


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
def test_the_mark_of_a_long_context_is_claude_code_s_own(provider: str) -> None:
    assert _api("claude-sonnet-4-5[1m]", MODEL_PROVIDER=provider).model == "claude-sonnet-4-5"
    assert pinned_model("claude-sonnet-4-5[1m]")["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "claude-sonnet-4-5[1m]"

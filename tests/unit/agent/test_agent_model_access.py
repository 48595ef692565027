from __future__ import annotations

from cloud_agent_runner.model_access import model_environment
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
}


async def test_with_anthropic_claude_gets_an_address_of_this_machine_and_a_placeholder() -> None:
    settings = Settings.from_environment({**GIVEN, "ANTHROPIC_API_KEY": "sk-ant-the-real-key"})
    async with model_environment(settings, Platform.from_environment({"AWS_REGION": "eu-west-1"})) as environment:
        assert {"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"} == set(environment)
        assert environment["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
        assert environment["ANTHROPIC_API_KEY"].startswith("placeholder-")


async def test_with_bedrock_claude_gets_the_way_to_the_task_role_and_nothing_else() -> None:
    settings = Settings.from_environment({**GIVEN, "MODEL_PROVIDER": "bedrock"})
    credentials = {"AWS_REGION": "eu-west-1", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x"}
    async with model_environment(settings, Platform.from_environment(credentials)) as environment:
        assert {"CLAUDE_CODE_USE_BEDROCK": "1", **credentials} == environment

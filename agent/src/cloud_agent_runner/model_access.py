"""How Claude Code reaches the model, without a credential of its own where that's possible."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cloud_agent_runner.model_gateway import model_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloud_agent_runner.settings import Platform, Settings


@asynccontextmanager
async def model_environment(settings: Settings, platform: Platform) -> AsyncIterator[dict[str, str]]:
    """Give Claude Code the variables by which it reaches the model, while the context lasts.

    Anthropic: the gateway's address and a placeholder; the key stays in this process.
    Bedrock: Claude Code signs its requests itself, so it gets the means to fetch the task role's credentials.
    That is a known trade: Claude's shell can use that role too, which is why the role may do nothing but
    bedrock:InvokeModel*.
    """
    if settings.model_provider == "bedrock":
        yield {"CLAUDE_CODE_USE_BEDROCK": "1", **_container_credentials(platform)}
        return
    if settings.anthropic_api_key is None:
        raise AssertionError("settings hold a key whenever the provider is anthropic")
    async with model_gateway(settings.anthropic_base_url, settings.anthropic_api_key) as gateway:
        yield {"ANTHROPIC_BASE_URL": gateway.url, "ANTHROPIC_API_KEY": gateway.placeholder_key}


def _container_credentials(platform: Platform) -> dict[str, str]:
    token = platform.aws_container_authorization_token
    named = {
        "AWS_REGION": platform.aws_region or platform.aws_default_region,
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": platform.aws_container_credentials_relative_uri,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": platform.aws_container_credentials_full_uri,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": token.get_secret_value() if token else None,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": platform.aws_container_authorization_token_file,
    }
    return {name: value for name, value in named.items() if value}

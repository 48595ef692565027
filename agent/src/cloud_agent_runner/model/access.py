"""How a session's Claude Code reaches its model: one model, by the gateway alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.model.api import AnthropicApi

if TYPE_CHECKING:
    from cloud_agent_runner.model.api import ModelApi
    from cloud_agent_runner.settings import Platform, Settings

# What a single response may have at most, thinking included. Claude Code asks for it, and the gateway admits no more.
MAX_OUTPUT_TOKENS = 64_000
# Claude Code's mark for a model with its long context window, which it takes off before it calls the model.
_LONG_CONTEXT = "[1m]"
MODEL_VARIABLES = (
    "ANTHROPIC_DEFAULT_FABLE_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
)


def model_api(settings: Settings, platform: Platform, model: str) -> ModelApi:
    """Return the API that the deployment has chosen, for one model."""
    called = called_model(model)
    if settings.model_provider == "bedrock":
        # Here, because it takes a third of a second and 37 MB, which only a deployment on Bedrock should pay.
        from cloud_agent_runner.model.bedrock import BedrockApi  # noqa: PLC0415

        return BedrockApi(called, platform)
    if settings.anthropic_api_key is None:
        raise AssertionError("settings hold a key whenever the provider is anthropic")
    return AnthropicApi(called, settings.anthropic_base_url, settings.anthropic_api_key)


def called_model(model: str) -> str:
    """Return the id by which Claude Code calls a model."""
    return model.removesuffix(_LONG_CONTEXT)


def pinned_model(model: str) -> dict[str, str]:
    """Return the variables by which Claude Code uses `model` for everything, within the gateway's bounds.

    Each alias that a subagent may ask for, and the small model for work in the background, are that same model: the
    gateway admits no other, and a deployment has access to the one it has chosen.
    """
    return {
        **dict.fromkeys(MODEL_VARIABLES, model),
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(MAX_OUTPUT_TOKENS),
        "CLAUDE_CODE_DISABLE_FAST_MODE": "1",
        "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1",
        "CLAUDE_CODE_NO_MODEL_FALLBACK": "1",
        "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1",
    }

"""The model that a session's turns are taken with: the deployment's, the repository's, or one that a person chose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.repository.config import CONFIG_PATH
from cloud_agent_runner.repository.config_file import RepositoryConfigError

if TYPE_CHECKING:
    from cloud_agent_runner.repository.config import Effort, RepositoryConfig
    from cloud_agent_runner.settings import Settings

# An inference profile or a model by its ARN, or by an id that has the provider's name in it ("Amazon Bedrock: Supported
# foundation models"). The Anthropic API's ids have neither.
_OF_BEDROCK = re.compile(r"arn:.+|([a-z-]+\.)?anthropic\..+")
_ANTHROPIC_API = "https://api.anthropic.com"


class ModelProviderError(AgentError):
    """The deployment's model is another provider's; the text says what to deploy with."""


@dataclass(frozen=True)
class ModelChoice:
    """A model, and how much effort Claude puts into a turn; None leaves that to the model."""

    model: str
    effort: Effort | None = None

    def unless(self, chosen: ModelChoice | None) -> ModelChoice:
        """Return this choice, or the later one, which keeps the effort unless it has its own."""
        return ModelChoice(chosen.model, chosen.effort or self.effort) if chosen else self


def first_choice(settings: Settings, config: RepositoryConfig) -> ModelChoice:
    """Return what the session begins with: the repository may choose among the models that the deployment allows.

    Raises:
        ModelProviderError: the deployment's own model isn't one of its provider's.
        RepositoryConfigError: the repository chose another one, or one that isn't the provider's.
    """
    if wrong := _of_another_provider(settings.claude_model, settings):
        raise ModelProviderError(f"`ClaudeModel`: {wrong}")
    allowed = settings.allowed_models.split(",")
    model = config.model or settings.claude_model
    if model != settings.claude_model and not any(fnmatchcase(model, pattern) for pattern in allowed):
        names = ", ".join(dict.fromkeys([settings.claude_model, *allowed]))
        raise RepositoryConfigError(
            f"{CONFIG_PATH}: `model`: {model} isn't allowed by this deployment's `AllowedModels`. Allowed: {names}."
        )
    if wrong := _of_another_provider(model, settings):
        raise RepositoryConfigError(f"{CONFIG_PATH}: `model`: {wrong}")
    return ModelChoice(model, config.effort)


def _of_another_provider(model: str, settings: Settings) -> str | None:
    """Return why the model can't be the provider's, or None; a gateway may have its own names for models."""
    is_bedrocks = _OF_BEDROCK.fullmatch(model) is not None
    if settings.model_provider == "bedrock" and not is_bedrocks:
        return (
            f"{model} isn't an id that Bedrock has for a Claude model, such as us.anthropic.claude-sonnet-5-5, and "
            "the deployment has `ModelProvider=bedrock`."
        )
    if settings.model_provider == "anthropic" and is_bedrocks and settings.anthropic_base_url == _ANTHROPIC_API:
        return f"{model} is an id of Bedrock's, and the deployment has `ModelProvider=anthropic`."
    return None

"""The model that a session's turns are taken with: the deployment's, the repository's, or one that a person chose."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloud_agent_runner.repository.config import CONFIG_PATH
from cloud_agent_runner.repository.config_file import RepositoryConfigError

if TYPE_CHECKING:
    from cloud_agent_runner.repository.config import Effort, RepositoryConfig
    from cloud_agent_runner.settings import Settings


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
        RepositoryConfigError: it chose another one.
    """
    allowed = settings.allowed_models.split(",")
    model = config.model or settings.claude_model
    if model != settings.claude_model and not any(fnmatchcase(model, pattern) for pattern in allowed):
        names = ", ".join(dict.fromkeys([settings.claude_model, *allowed]))
        raise RepositoryConfigError(
            f"{CONFIG_PATH}: `model`: {model} isn't allowed by this deployment's `AllowedModels`. Allowed: {names}."
        )
    return ModelChoice(model, config.effort)

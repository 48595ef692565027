"""Which model a session uses, and with how much effort: what people may choose within what the deployment allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Effort = Literal["low", "medium", "high", "xhigh", "max"]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,199}$")]
# An inference profile or a model by its ARN, or by an id that has the provider's name in it ("Amazon Bedrock: Supported
# foundation models"). The Anthropic API's ids have neither.
_OF_BEDROCK = re.compile(r"arn:.+|([a-z-]+\.)?anthropic\..+")
_ANTHROPIC_API = "https://api.anthropic.com"
_EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")
_CHOICE = re.compile(rf"([A-Za-z0-9][\w.:/@\[\]-]{{0,199}})(?:\s+({'|'.join(_EFFORTS)}))?", re.ASCII)


class ModelChoice(BaseModel):
    """What somebody chose by `/model`, for this session and the next ones of its pull request; `at` is when.

    Without an effort, it's the repository's, or else the model's own.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: ModelName
    effort: Effort | None = None
    at: str


@dataclass(frozen=True)
class AllowedModels:
    """The models that may be chosen, by names in which `*` stands for any characters. The deployment's own always."""

    patterns: tuple[str, ...]
    own: str

    @classmethod
    def of(cls, parameter: str, own: str) -> AllowedModels:
        """Read the names as the deployment's parameter lists them."""
        return cls(tuple(parameter.split(",")), own)

    def include(self, model: str) -> bool:
        """Whether this one may be chosen."""
        return model == self.own or any(fnmatchcase(model, pattern) for pattern in self.patterns)

    @property
    def names(self) -> tuple[str, ...]:
        """What may be chosen, for people."""
        return tuple(dict.fromkeys([self.own, *self.patterns]))


@dataclass(frozen=True)
class ModelProvider:
    """Who runs the model: Bedrock, or else what is at `base_url`."""

    is_bedrock: bool
    base_url: str

    def may_have(self, model: str) -> bool:
        """Whether this can be one of its models' ids. A gateway may have its own names for them."""
        if self.is_bedrock:
            return _OF_BEDROCK.fullmatch(model) is not None
        return self.base_url != _ANTHROPIC_API or _OF_BEDROCK.fullmatch(model) is None


def read_choice(text: str, at: str) -> ModelChoice | None:
    """Return what the words behind `/model` choose; None when they don't name a model."""
    found = _CHOICE.fullmatch(text.strip())
    return ModelChoice.model_validate({"model": found[1], "effort": found[2], "at": at}) if found else None

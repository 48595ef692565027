"""The agent's environment, declared once; a test holds it equal to the task definition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud_agent_runner.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What Git refuses in a name (man 1 git-check-ref-format), and a name that could be taken for an option.
_NO_BRANCH = re.compile(r"^[-/]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^\.|\.lock(/|$)|[./]$")


def _is_branch(name: str) -> str:
    if not name or _NO_BRANCH.search(name):
        raise ValueError("this is no name of a branch")
    return name


def _header_value(key: SecretStr) -> SecretStr:
    """Return the key as it's sent, without the line break with which editors and `echo` end a file."""
    text = key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("it's empty, or has white space or other characters inside")
    return SecretStr(text)


BranchName = Annotated[str, AfterValidator(_is_branch)]
ApiKey = Annotated[SecretStr, AfterValidator(_header_value)]
BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]"), AfterValidator(lambda url: url.rstrip("/"))]


class SettingsError(AgentError):
    """An environment variable is missing or cannot be read; the text names each one."""


class _FromEnvironment(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings from `environment`.

        Raises:
            SettingsError: names every variable that is wrong, never its value.
        """
        given: dict[str, Any] = {name.lower(): value for name, value in environment.items()}
        try:
            return cls(**{name: given[name] for name in cls.model_fields if given.get(name)})
        except ValidationError as error:
            faults = "; ".join(_fault(entry["loc"], entry["msg"]) for entry in error.errors())
            raise SettingsError(
                f"The agent's environment is not usable: {faults}. "
                "Set it in the agent's task definition or in the overrides of RunTask."
            ) from None


class Settings(_FromEnvironment):
    """What the task definition and the overrides of RunTask tell one session's agent."""

    session_id: str = Field(pattern=r"^[0-9a-f]{8}$")
    session_token: SecretStr
    task_token: SecretStr
    repository: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$")
    branch: BranchName
    base_branch: BranchName | Literal[""] = ""

    agent_api_url: BaseUrl
    github_url: BaseUrl
    uat_domain: str = Field(default="", pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)*)?$")
    allow_workflow_changes: bool = False
    model_provider: Literal["anthropic", "bedrock"] = "anthropic"
    anthropic_base_url: BaseUrl = "https://api.anthropic.com"
    anthropic_api_key: ApiKey | None = None
    claude_model: str
    allowed_models: str = Field(default="*", min_length=1)
    max_turns: PositiveInt = 200
    max_budget_usd: PositiveFloat = 10.0
    repository_claude_settings: Literal["on", "off"] = "on"
    pictures: Literal["on", "off"] = "on"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _anthropic_needs_a_key(self) -> Self:
        if self.model_provider == "anthropic" and self.anthropic_api_key is None:
            raise ValueError("ANTHROPIC_API_KEY: needed when MODEL_PROVIDER is anthropic")
        return self

    @property
    def clone_url(self) -> str:
        """The repository's address for git over HTTP, without credentials."""
        return f"{self.github_url}/{self.repository}.git"


class Platform(_FromEnvironment):
    """What Fargate, or the embedded ECS, adds to every container, and an endpoint that an image may name."""

    ecs_container_metadata_uri_v4: str | None = None
    aws_region: str | None = None
    aws_default_region: str | None = None
    aws_container_credentials_relative_uri: str | None = None
    aws_container_credentials_full_uri: str | None = None
    aws_container_authorization_token: SecretStr | None = None
    aws_container_authorization_token_file: str | None = None
    # By the name that AWS's own SDKs read ("AWS SDKs and Tools: Service-specific endpoints").
    aws_endpoint_url_bedrock_runtime: str | None = None


def _fault(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {text.lower()}" if location else text

"""What the proxy is told by its environment, declared once."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    HttpUrl,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud_agent_proxy.access.keys import AccessKeys
from cloud_agent_proxy.sign_in.github import ClientCredentials

DomainName = Annotated[
    str,
    StringConstraints(
        to_lower=True,
        max_length=253,
        pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$",
    ),
]


BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]")]


class SettingsError(Exception):
    """An environment variable is missing or cannot be read; the text names each one, never its value."""


class _FromEnvironment(BaseSettings):
    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            SettingsError: names every variable that is wrong.
        """
        try:
            return cls()
        except ValidationError as error:
            faults = "; ".join(_fault(entry["loc"], entry["msg"]) for entry in error.errors(include_input=False))
            raise SettingsError(
                f"The container's environment is not usable: {faults}. Set it in the task definition."
            ) from None


class Settings(_FromEnvironment):
    """Environment of the proxy's container; an unusable value stops the start with a message naming it."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, hide_input_in_errors=True)

    sessions_table: str = Field(min_length=1)
    artifacts_bucket: str = Field(min_length=1)
    """Where sessions' transcripts are."""
    uat_domain: DomainName
    max_sessions: int = Field(ge=1)
    """How many sessions may run at once, which the index shows."""
    agent_cidr: IPv4Network
    """The only addresses a session may have."""
    uat_access: Literal["link", "github", "public"] = "link"
    """Who may see sessions: who has their link, who may read their repository, or whoever reaches the proxy."""
    uat_access_keys: AccessKeys | None = None
    uat_sign_in: ClientCredentials | None = None
    """The GitHub App's, with which visitors sign in; `{}` while nobody has put them, which stops no start."""
    github_url: BaseUrl = "https://github.com"
    github_api_url: BaseUrl = "https://api.github.com"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    metadata_uri: str | None = Field(default=None, validation_alias="ECS_CONTAINER_METADATA_URI_V4")

    @field_validator("uat_sign_in", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @model_validator(mode="after")
    def _keys_where_they_are_needed(self) -> Self:
        if self.uat_access != "public" and self.uat_access_keys is None:
            raise ValueError(f'UAT_ACCESS={self.uat_access} needs UAT_ACCESS_KEYS: {{"signing_key": "..."}}')
        if self.uat_sign_in is not None and self.uat_access_keys is None:
            raise ValueError('UAT_SIGN_IN needs UAT_ACCESS_KEYS: {"signing_key": "..."}')
        return self


class CanarySettings(BaseSettings):
    """Environment of the canary's container."""

    model_config = SettingsConfigDict(frozen=True)

    metadata_uri: str | None = Field(default=None, validation_alias="ECS_CONTAINER_METADATA_URI_V4")


class Platform(_FromEnvironment):
    """What Fargate, or the embedded ECS, tells every container of AWS; the task role's credentials beside it."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    region: str = Field(validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"))
    dynamodb_url: HttpUrl | None = Field(
        default=None, validation_alias=AliasChoices("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")
    )
    """Where DynamoDB is, if not at the region's own endpoint."""
    s3_url: HttpUrl | None = Field(
        default=None, validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    )
    """Where S3 is, if not at the region's own endpoint."""


def _fault(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {text[0].lower()}{text[1:]}" if location else text

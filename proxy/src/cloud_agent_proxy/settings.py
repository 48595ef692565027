"""What the proxy is told by its environment, declared once."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, HttpUrl, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

DomainName = Annotated[
    str,
    StringConstraints(
        to_lower=True,
        max_length=253,
        pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$",
    ),
]


class Settings(BaseSettings):
    """Environment of the proxy's container; an unusable value stops the start with a message naming it."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    sessions_table: str = Field(min_length=1)
    uat_domain: DomainName
    agent_cidr: IPv4Network
    """The only addresses a session may have."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    metadata_uri: str | None = Field(default=None, validation_alias="ECS_CONTAINER_METADATA_URI_V4")


class Platform(BaseSettings):
    """What Fargate, or the embedded ECS, tells every container of AWS; the task role's credentials beside it."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    region: str = Field(validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"))
    dynamodb_url: HttpUrl | None = Field(
        default=None, validation_alias=AliasChoices("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")
    )
    """Where DynamoDB is, if not at the region's own endpoint."""

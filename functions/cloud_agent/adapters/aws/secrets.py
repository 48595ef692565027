"""Secrets Manager: the webhook's secret, the GitHub credentials and the keys of access to sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from cloud_agent.adapters.aws import clients
from cloud_agent.domain.errors import ConfigurationError
from cloud_agent.worker import once_per_worker

if TYPE_CHECKING:
    from collections.abc import Iterator

S = TypeVar("S", bound=BaseModel)
CHAT_WEBHOOKS_FORM = '{"slack": "https://...", "teams": "https://..."}, either or none of them'
MAX_AGE_SECONDS = 60  # a rotated value is used by every warm worker within a minute


class GitHubCredentials(BaseModel):
    """A GitHub App (`app_id`, `private_key`) or, as the simple alternative, a personal `token`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    app_id: str = ""
    private_key: str = ""
    token: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.token) == bool(self.app_id and self.private_key):
            raise ValueError("give either app_id and private_key, or token")
        return self


AccessKey = Annotated[str, StringConstraints(min_length=32)]  # HS256 asks for 32 bytes: RFC 7518, section 3.2


class UatAccessKeys(BaseModel):
    """What access to sessions is signed with, and a second key that is accepted besides, so that keys can change."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    signing_key: AccessKey
    verifying_key: AccessKey | Literal[""] = ""


# Nothing else, so that neither a message nor the URL itself goes over the net as plain text.
WebhookUrl = Annotated[str, Field(pattern=r"^(https://|http://127\.0\.0\.1[:/])")]


class ChatWebhooks(BaseModel):
    """Where chats take notifications; neither has to."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack: WebhookUrl | Literal[""] = Field(default="", repr=False)
    teams: WebhookUrl | Literal[""] = Field(default="", repr=False)


def read_secret(arn: str) -> str:
    """Return the secret's current string, at most a minute old.

    Raises:
        ConfigurationError: the secret cannot be read; names it.
    """
    return _get(_provider(), arn)


def accepted_secrets(arn: str) -> Iterator[str]:
    """Yield the secret's current string, then the one before it, so that both hold while it is being changed.

    Each is at most a minute old. The one before it is read only when it's asked for.

    Raises:
        ConfigurationError: as `read_secret`.
    """
    yield _get(_provider(), arn)
    if previous := _get(_previous_provider(), arn):
        yield previous


def read_github_credentials(arn: str) -> GitHubCredentials:
    """Return the GitHub credentials.

    Raises:
        ConfigurationError: the secret cannot be read or is not of the documented form; never shows its value.
    """
    return _read(GitHubCredentials, arn, '{"app_id": "...", "private_key": "..."} or {"token": "..."}')


def read_uat_access_keys(arn: str) -> UatAccessKeys:
    """Return the keys of access to sessions.

    Raises:
        ConfigurationError: the secret cannot be read or is not of the documented form; never shows its value.
    """
    return _read(UatAccessKeys, arn, '{"signing_key": "...", "verifying_key": "..."}, 32 characters or more each')


def read_chat_webhooks(arn: str) -> ChatWebhooks:
    """Return the webhooks of chats as they are now: notifications are too rare to remember them for.

    Raises:
        ConfigurationError: the secret cannot be read or is not of the documented form; never shows its value.
    """
    return _read(ChatWebhooks, arn, CHAT_WEBHOOKS_FORM, anew=True)


@once_per_worker
def _provider() -> SecretsProvider:
    return SecretsProvider(boto3_client=clients.secrets_manager())


@once_per_worker
def _previous_provider() -> _PreviousVersions:
    return _PreviousVersions(boto3_client=clients.secrets_manager())


class _PreviousVersions(SecretsProvider):
    """Secrets' values before the last change; empty, and remembered as that, where nothing was ever changed."""

    def _get(self, name: str, **sdk_options: Any) -> str | bytes:  # noqa: ANN401 - as Powertools declares it
        try:
            return super()._get(name, VersionStage="AWSPREVIOUS", **sdk_options)
        except self.client.exceptions.ResourceNotFoundException:
            return ""


def _get(provider: SecretsProvider, arn: str, *, anew: bool = False) -> str:
    try:
        return str(provider.get(arn, max_age=MAX_AGE_SECONDS, force_fetch=anew))
    except GetParameterError as error:
        raise ConfigurationError(f"The secret {arn} cannot be read: does it have a value?") from error


def _read(model: type[S], arn: str, form: str, *, anew: bool = False) -> S:
    text = _get(_provider(), arn, anew=anew)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        reasons = "; ".join(dict.fromkeys(e["msg"] for e in error.errors()))
        raise ConfigurationError(f"The secret {arn} must be JSON: {form} ({reasons}).") from error

"""What each function is told by its environment: declared here once, and held equal to template.yaml by a test."""

from functools import cache
from typing import TypeVar, cast

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud_agent.domain.errors import ConfigurationError


class Settings(BaseSettings):
    """Common to every function."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    sessions_table: str = Field(min_length=1)


class GitHubSettings(Settings):
    """For the functions that call GitHub."""

    github_api_url: str = Field(pattern=r"^https?://")
    github_secret_arn: str = Field(min_length=1)


class WebhookSettings(Settings):
    """POST /webhook."""

    idempotency_table: str = Field(min_length=1)
    state_machine_arn: str = Field(min_length=1)
    webhook_secret_arn: str = Field(min_length=1)
    trigger_label: str = Field(min_length=1)


class AnnounceSessionSettings(GitHubSettings):
    """The state that posts the session's URL."""

    uat_url: str = Field(pattern=r"^https?://")


class RegisterIpSettings(Settings):
    """The state that asks ECS for the task's address."""

    cluster_arn: str = Field(min_length=1)


# What the platform's own libraries read; every function has them from the template's Globals.
POWERTOOLS_VARIABLES = frozenset(
    {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"},
)

# Logical id in template.yaml -> the settings its code reads.
FUNCTIONS: dict[str, type[Settings]] = {
    "WebhookFunction": WebhookSettings,
    "AgentApiFunction": GitHubSettings,
    "TaskStoppedFunction": Settings,
    "CreateBranchFunction": GitHubSettings,
    "OpenDraftPullRequestFunction": GitHubSettings,
    "RegisterIpFunction": RegisterIpSettings,
    "AnnounceSessionFunction": AnnounceSessionSettings,
    "CloseSessionFunction": GitHubSettings,
    "ReportFailureFunction": GitHubSettings,
}

S = TypeVar("S", bound=Settings)


def load(model: type[S]) -> S:
    """Read and check the environment, once per Lambda worker.

    Raises:
        ConfigurationError: names each variable that is missing or unusable.
    """
    return cast("S", _load(model))


@cache
def _load(model: type[Settings]) -> Settings:
    try:
        return model()
    except ValidationError as error:
        wrong = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{model.__name__} of this function's environment: {wrong}") from error

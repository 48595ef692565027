"""What each function is told by its environment: declared here once, and held equal to template.yaml by a test."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud_agent.domain.errors import ConfigurationError
from cloud_agent.domain.policy.limits import SessionLimits
from cloud_agent.domain.policy.slots import SlotLimits
from cloud_agent.domain.session.agents import TriggerLabels
from cloud_agent.domain.session.comment_trigger import CommentTrigger
from cloud_agent.domain.session.entry_link import UatAccess
from cloud_agent.domain.session.model_choice import AllowedModels, ModelProvider
from cloud_agent.worker import once_per_worker


class Settings(BaseSettings):
    """Common to every function."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    sessions_table: str = Field(min_length=1)


class GitHubSettings(Settings):
    """For the functions that call GitHub."""

    github_api_url: str = Field(pattern=r"^https?://")
    github_secret_arn: str = Field(min_length=1)


class TriggerSettings(GitHubSettings):
    """For the functions that read or name the labels that start sessions, and what steers them."""

    trigger_label: str = Field(min_length=1)
    staging_trigger_label: str
    comment_trigger: CommentTrigger

    @property
    def trigger_labels(self) -> TriggerLabels:
        """Each agent's label; the staging agent has none where there is no such agent."""
        return TriggerLabels(self.trigger_label, self.staging_trigger_label)


class SlotSettings(Settings):
    """For the functions that hand out slots."""

    max_sessions: int = Field(ge=1)
    max_sessions_per_repository: int = Field(ge=1)

    @property
    def slot_limits(self) -> SlotLimits:
        """How many sessions may run at once."""
        return SlotLimits(self.max_sessions, self.max_sessions_per_repository)


class PublishingSettings(TriggerSettings):
    """For the functions that keep the pull request true to the session's row."""

    uat_url: str = Field(pattern=r"^https?://")
    uat_access: UatAccess
    uat_access_keys_arn: str = Field(min_length=1)
    tracker_url: str = Field(pattern=r"^(https?://[A-Za-z0-9._~:/%-]+)?$")
    max_session_age_seconds: int = Field(ge=1)

    @property
    def max_session_age(self) -> timedelta:
        """How long a session may run."""
        return timedelta(seconds=self.max_session_age_seconds)


class PublisherSettings(PublishingSettings):
    """The table's stream: it keeps pull request and transcript true to the row, and sends notifications."""

    notifications_topic_arn: str = Field(min_length=1)
    chat_webhooks_arn: str = Field(min_length=1)
    artifacts_bucket: str = Field(min_length=1)


class WebhookSettings(TriggerSettings):
    """POST /webhook."""

    idempotency_table: str = Field(min_length=1)
    state_machine_arn: str = Field(min_length=1)
    webhook_secret_arn: str = Field(min_length=1)
    tracker_keys: str
    allowed_bots: str
    model_provider: Literal["anthropic", "bedrock"]
    anthropic_base_url: str = Field(min_length=1)
    claude_model: str = Field(min_length=1)
    allowed_models: str = Field(min_length=1)

    @property
    def bots(self) -> frozenset[str]:
        """The bots that may do what people with write access may."""
        return frozenset(filter(None, self.allowed_bots.split(",")))

    @property
    def tracker_projects(self) -> frozenset[str]:
        """The projects of a tracker whose keys, in an issue's title, name its branch."""
        return frozenset(filter(None, self.tracker_keys.split(",")))

    @property
    def models(self) -> AllowedModels:
        """What people may choose by `/model`."""
        return AllowedModels.of(self.allowed_models, self.claude_model)

    @property
    def provider(self) -> ModelProvider:
        """Who runs the model."""
        return ModelProvider(self.model_provider == "bedrock", self.anthropic_base_url)


class AgentApiSettings(GitHubSettings):
    """The Agent API: how far a session may go unless its repository says less, and where its secrets are."""

    idle_minutes: int = Field(ge=1)
    max_turns: int = Field(ge=1)
    max_budget_usd: Decimal = Field(gt=0)
    environment_secret_prefix: str = Field(min_length=1)
    allow_workflow_changes: bool
    artifacts_bucket: str = Field(min_length=1)
    dependency_cache_days: int = Field(ge=0)
    unpublished_work_days: int = Field(ge=0)
    uat_url: str = Field(pattern=r"^https?://")

    @property
    def session_limits(self) -> SessionLimits:
        """How far any session may go."""
        return SessionLimits(idle_minutes=self.idle_minutes, max_turns=self.max_turns, budget_usd=self.max_budget_usd)


class TaskSettings(Settings):
    """For the functions that look for agents' tasks."""

    cluster_arn: str = Field(min_length=1)
    agent_task_family: str = Field(min_length=1)
    staging_agent_task_family: str = Field(min_length=1)

    @property
    def agent_families(self) -> tuple[str, str]:
        """The families of task definitions that sessions' tasks are run from."""
        return self.agent_task_family, self.staging_agent_task_family


class TaskEventsSettings(Settings):
    """ECS's events of agents' tasks."""

    agent_log_group: str = Field(min_length=1)


class CloseSessionSettings(PublishingSettings, SlotSettings):
    """The state that ends a session, tells people, and lets the next one start."""


class ReconcilerSettings(CloseSessionSettings, TaskSettings):
    """The schedule that ends idle sessions and repairs what an outage left behind."""

    idle_minutes: int = Field(ge=1)


# What the platform's own libraries read; every function has them from the template's Globals.
POWERTOOLS_VARIABLES = frozenset({"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"})

# Logical id in template.yaml -> the settings its code reads.
FUNCTIONS: dict[str, type[Settings]] = {
    "WebhookFunction": WebhookSettings,
    "AgentApiFunction": AgentApiSettings,
    "TaskEventsFunction": TaskEventsSettings,
    "PublisherFunction": PublisherSettings,
    "ReconcilerFunction": ReconcilerSettings,
    "CreateBranchFunction": GitHubSettings,
    "OpenDraftPullRequestFunction": PublishingSettings,
    "TakeSlotFunction": SlotSettings,
    "RegisterIpFunction": TaskSettings,
    "AnnounceSessionFunction": PublishingSettings,
    "CloseSessionFunction": CloseSessionSettings,
    "ReportFailureFunction": GitHubSettings,
}

S = TypeVar("S", bound=Settings)


@once_per_worker
def load(model: type[S]) -> S:
    """Read and check the environment, once per Lambda worker.

    Raises:
        ConfigurationError: names each variable that is missing or unusable.
    """
    try:
        return model()
    except ValidationError as error:
        wrong = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{model.__name__} of this function's environment: {wrong}") from error

"""A session: one issue being worked on by one agent task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from cloud_agent.domain.session.agents import Agent
from cloud_agent.domain.session.app import App
from cloud_agent.domain.session.branch_rule import BranchRule
from cloud_agent.domain.session.comment_trigger import CommentTrigger
from cloud_agent.domain.session.model_choice import Effort, ModelChoice
from cloud_agent.domain.session.preview import Preview
from cloud_agent.domain.session.repository import GitHubRepository
from cloud_agent.domain.session.todo_progress import TodoProgress
from cloud_agent.domain.session.unpublished_work import UnpublishedWork

SessionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
# As long as GitHub lets it be: 39 characters of an owner, 100 of a repository. Keys hold it, and have limits as well.
RepositoryName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$", max_length=140)
]

KEPT_AFTER_END = timedelta(days=30)
WATCHED = timedelta(seconds=90)  # after a proxy has noted it; contracts/limits.json has how often each does


class SessionStatus(StrEnum):
    """QUEUED → STARTING → RUNNING → COMPLETED | STOPPED | FAILED."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"

    @property
    def is_live(self) -> bool:
        """Whether the session may still do work."""
        return self in LIVE


class Ending(BaseModel):
    """How a session is to end, or has ended: `reason` is for the person on the pull request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: SessionStatus
    reason: str


LIVE = frozenset({SessionStatus.QUEUED, SessionStatus.STARTING, SessionStatus.RUNNING})


class Session(BaseModel):
    """A session's row as the functions read it. Attributes that later steps write are absent until then."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    session_id: SessionId
    status: SessionStatus
    repository_id: int
    repo: RepositoryName
    issue_number: int
    issue_key: str
    issue_title: str = ""
    issue_url: str = ""
    branch: str
    base_branch: str = ""
    default_branch: str = ""
    requested_by: str = ""
    agent: Agent = Agent.STANDARD
    installation_id: int | None = None
    token_hash: str
    execution_arn: str
    created_at: str
    previous_session_id: str | None = None
    blocking_branch: str | None = None
    branch_rules: list[BranchRule] = []
    base_sha: str | None = None
    initial_sha: str | None = None
    pull_number: int | None = None
    pull_url: str | None = None
    app: App | None = None
    comment_id: int | None = None
    deployment_id: int | None = None
    task_arn: str | None = None
    logs_url: str | None = None
    ip: str | None = None
    port: int | None = None
    preview: Preview | None = None
    start_token: str | None = None
    lifecycle_token: str | None = None
    ending: Ending | None = None
    idle_minutes: int | None = None
    max_turns: int | None = None
    budget_usd: Decimal | None = None
    ready_for_review: bool = True
    comment_trigger: CommentTrigger | None = None
    model: str | None = None
    effort: Effort | None = None
    chosen_model: ModelChoice | None = None
    has_workspace_user: bool | None = None
    turns: int = 0
    cost_usd: Decimal = Decimal(0)
    activity: str = ""
    todo: TodoProgress | None = None
    reported_head_sha: str | None = None
    unpublished: int = 0
    conflicts: bool = False
    unpublished_work: UnpublishedWork | None = None
    last_active_at: str | None = None
    last_visited_at: str | None = None
    last_watched_at: str | None = None
    idle_ends_at: str | None = None
    interrupt_id: str | None = None
    branch_sha: str | None = None
    latest_prompt_id: str | None = None
    latest_turn_id: str | None = None
    question: str = ""
    prompt_edits: int = 0
    task_stopped_reason: str | None = None
    ended_at: str | None = None
    end_reason: str | None = None

    @property
    def is_of_pull_request(self) -> bool:
        """Whether it was requested on a pull request of somebody's: a repository's issues have no number of these."""
        return self.pull_number == self.issue_number

    @property
    def base(self) -> str:
        """The branch that its branch is for."""
        return self.base_branch or self.default_branch

    @property
    def is_watched(self) -> bool:
        """Whether somebody has its page open. The proxies write that down once a minute."""
        return self.last_watched_at is not None and self.last_watched_at > timestamp(datetime.now(UTC) - WATCHED)

    @property
    def repository(self) -> GitHubRepository:
        """Its repository, as it was when a delivery of it came last."""
        return GitHubRepository(self.repository_id, self.repo, self.installation_id)


def session_url(uat_url: str, session_id: str) -> str:
    """Return the session's public address: its id as one label before the UAT domain of `uat_url`."""
    scheme, _, host = uat_url.partition("://")
    return f"{scheme}://{session_id}.{host}"


def timestamp(moment: datetime | None = None) -> str:
    """ISO 8601 in UTC, to the millisecond, as every row and message writes it."""
    return (moment or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def expiry_after_end(moment: datetime | None = None) -> int:
    """Epoch seconds at which DynamoDB may delete an ended session's row."""
    return int(((moment or datetime.now(UTC)) + KEPT_AFTER_END).timestamp())

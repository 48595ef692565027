"""What the agent may say of its session. It runs untrusted code: every word is bounded, none is believed further."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud_agent.domain.conversation.messages import sentence
from cloud_agent.domain.conversation.turn_results import TurnResult
from cloud_agent.domain.policy.limits import WHOLE, WantedLimits
from cloud_agent.domain.session.model_choice import Effort, ModelName
from cloud_agent.domain.session.preview import Preview
from cloud_agent.domain.session.todo_progress import TodoProgress
from cloud_agent.domain.session.unpublished_work import WorkState

TaskToken = Annotated[str, Field(min_length=1, max_length=2048)]
PromptId = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]
SecretName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
Port = Annotated[int, Field(ge=1024, le=65535), WHOLE]
WantedHostHeader = Literal["localhost", "public"]
HostHeader = Literal["localhost", "127.0.0.1", "public"]
RESULT_LIMIT = 8_000  # characters of Claude's last words that are kept
DESCRIPTION_LIMIT = 4_000  # characters of the pull request's description
QUESTION_LIMIT = 500  # characters of the question that a turn ends with
ARCHIVE_LIMIT_BYTES = 1024**3
BUNDLE_LIMIT_BYTES = 256 * 1024**2
UNNAMED_ERROR = "AgentError"
# What an agent can report as its end: its own errors. Advice is chosen by the name, so any other is not the agent's to
# report: with BranchProtectedError, for one, it would ask people to loosen the repository's rules.
REPORTED_ERRORS = frozenset(
    {
        "AgentApiRefusedError",
        "AgentApiUnavailableError",
        UNNAMED_ERROR,
        "CloneFailedError",
        "DefaultBranchConfigError",
        "GitError",
        "ModelProviderError",
        "RepositoryConfigError",
        "UnexpectedAgentError",
    }
)


class Report(BaseModel):
    """A request body of the Agent API."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # a cold start builds what it reads


class Ready(Report):
    """The branch is cloned, and Claude can begin. The preview will answer on `port`, called by `host_header`.

    `limits` are those that the repository's own file asks for.

    `model` and `effort` are those that Claude begins with; an older agent doesn't say.
    `has_workspace_user` says whether the repository's code runs as a user of its own; an older agent has none.
    """

    task_token: TaskToken
    port: Port
    host_header: WantedHostHeader = "localhost"
    limits: WantedLimits = WantedLimits()
    has_workspace_user: bool = False
    model: ModelName | Literal[""] = ""
    effort: Effort | None = None


class PreviewReport(Preview):
    """How the preview is. `host_header` is the name that its dev server turned out to take; None if nobody asked.

    `revision` counts the changes of its pages, each of which has open ones reloaded; None if they aren't to be. `port`
    is where visitors reach it, if that isn't the one that the agent was ready with.
    """

    host_header: HostHeader | None = None
    revision: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] | None = None
    port: Port | None = None

    @property
    def preview(self) -> Preview:
        """What the session's row has of it."""
        return Preview(state=self.state, detail=self.detail, log=self.log)


class Heartbeat(Report):
    """The agent is alive."""

    task_token: TaskToken


class Done(Report):
    """The agent ends by itself."""

    task_token: TaskToken
    outcome: Literal["completed", "failed"]
    error: str = Field(pattern=r"^([A-Z][A-Za-z]{0,60}Error)?$")
    message: str = Field(max_length=32_000)

    @property
    def own_error(self) -> str:
        """The error's name if it is one of the agent's own; else the one that is explained in general terms."""
        return self.error if self.error in REPORTED_ERRORS else UNNAMED_ERROR

    @property
    def reason(self) -> str:
        """The message as a sentence: a bare name would be read as an error that the workflow met, and explained."""
        return sentence(self.message) if self.message.strip() else ""


class EnvironmentNames(Report):
    """The secrets that the repository's file wants in the environment of its dev server, by name."""

    names: tuple[SecretName, ...] = Field(max_length=50)


class AttachmentsOf(Report):
    """The prompt whose attached files are wanted."""

    prompt_id: PromptId


class DependencyKey(Report):
    """What a repository's dependencies are installed from and by, as a hash."""

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DependencyArchive(DependencyKey):
    """An archive of installed dependencies. `head_sha` is the commit that was cloned.

    `before_claude` says that it was complete before Claude changed anything.
    """

    size_bytes: Annotated[int, Field(ge=1, le=ARCHIVE_LIMIT_BYTES), WHOLE]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    head_sha: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    before_claude: bool


class UnpublishedBundle(Report):
    """A Git bundle of the commits that aren't on GitHub."""

    size_bytes: Annotated[int, Field(ge=1, le=BUNDLE_LIMIT_BYTES), WHOLE]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UnpublishedReport(Report):
    """What has become of commits that couldn't be pushed: how many of the session's aren't on GitHub now.

    `taken_up` counts those that an earlier session of the branch had left.
    """

    commits: Annotated[int, Field(ge=0, le=100_000), WHOLE]
    state: WorkState
    taken_up: Annotated[int, Field(default=0, ge=0, le=100_000), WHOLE]


class TurnStarted(Report):
    """Claude begins to work on a prompt."""

    event: Literal["turn_started"]
    prompt_id: PromptId

    def attributes(self) -> dict[str, Any]:
        """Return what the session's row says of it."""
        return {"activity": "turn_started"}


class ToolUsed(Report):
    """Claude uses a tool. `todo` is how far it is with its to-do list, where the tool has changed that."""

    event: Literal["tool_used"]
    prompt_id: PromptId
    tool: str = Field(max_length=100)
    detail: str = Field(max_length=1_000)
    todo: TodoProgress | None = None

    def attributes(self) -> dict[str, Any]:
        """Return what the session's row says of it; a change of the list doesn't replace what Claude is doing."""
        if self.todo is not None:
            return {"todo": self.todo.model_dump()}
        return {"activity": f"{self.tool} {self.detail}".strip()}


class TurnFinished(Report):
    """A turn is over. Turns and cost count from the session's start.

    `description` is the pull request's, empty where the turn wrote none. `question` is what the turn asks a person,
    empty where it asks nothing; the result has it, too. `unpublished` counts the commits that aren't on GitHub, because
    they couldn't be pushed; `conflicts` says that the branch can't be merged into the default one. `pictures` counts
    the transcript's events that show a page before and after the turn.
    """

    event: Literal["turn_finished"]
    prompt_id: PromptId
    is_error: bool
    interrupted: bool = False
    result: str = Field(max_length=RESULT_LIMIT)
    turns: Annotated[int, Field(ge=0, le=100_000), WHOLE]
    cost_usd: float = Field(ge=0, le=100_000)
    head_sha: str | None = Field(pattern=r"^[0-9a-f]{40}$")
    description: str = Field(default="", max_length=DESCRIPTION_LIMIT)
    question: str = Field(default="", max_length=QUESTION_LIMIT)
    unpublished: Annotated[int, Field(default=0, ge=0, le=100_000), WHOLE]
    conflicts: bool = False
    pictures: Annotated[int, Field(default=0, ge=0, le=100), WHOLE]

    @property
    def cost(self) -> Decimal:
        """To the millionth: DynamoDB refuses numbers that are closer to zero than 1e-130."""
        return Decimal(f"{self.cost_usd:.6f}")

    def turn_result(self, now: str) -> TurnResult:
        """Return what the turn came to, for whoever wrote its prompt."""
        return TurnResult(
            prompt_id=self.prompt_id,
            is_error=self.is_error,
            interrupted=self.interrupted,
            result=self.result,
            head_sha=self.head_sha,
            description=self.description,
            pictures=self.pictures,
            created_at=now,
        )

    def attributes(self) -> dict[str, Any]:
        """Return what the session's row says of it."""
        return {
            "activity": "turn_failed" if self.is_error else "turn_finished",
            "turns": self.turns,
            "cost_usd": self.cost,
            "latest_turn_id": self.prompt_id,
            "question": self.question,
            "unpublished": self.unpublished,
            "conflicts": self.conflicts,
        } | ({"reported_head_sha": self.head_sha} if self.head_sha else {})


Progress = Annotated[TurnStarted | ToolUsed | TurnFinished, Field(discriminator="event")]

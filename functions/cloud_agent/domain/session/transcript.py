"""The events of a session's transcript: what the agent may report of its work, and what the functions add.

contracts/transcript.schema.json is made of these models. The agent runs untrusted code, and what Claude and its tools
say is anybody's text: every member is bounded, and whoever shows an event escapes all of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from cloud_agent.domain.conversation.prompts import PromptKind
from cloud_agent.domain.policy.limits import WHOLE
from cloud_agent.domain.session.agent_reports import PromptId, Report
from cloud_agent.domain.session.model_choice import Effort, ModelName
from cloud_agent.domain.session.preview import PreviewState
from cloud_agent.domain.session.session import SessionStatus

VERSION = 1
TEXT_LIMIT = 16_000  # characters of one text
LINE_LIMIT = 1_000
EVENTS_LIMIT = 500  # events of one batch
BATCH_LIMIT_BYTES = 65_536

Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Line = Annotated[str, Field(max_length=LINE_LIMIT)]
Name = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000), WHOLE]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Stream(StrEnum):
    """Who writes: each has a sequence of its own."""

    AGENT = "agent"
    WORKFLOW = "workflow"


class TranscriptEvent(Report):
    """What every event says: when it was, and to which prompt's turn it belongs, if to any.

    `cut` has, for each member whose text was cut, the number of characters that were left out.
    """

    at: Moment
    prompt_id: PromptId | None
    cut: dict[Name, Count] = Field(default={}, max_length=50)


class Limits(Report):
    """How far the session may go; null where the writer doesn't know."""

    max_turns: Count | None
    budget_usd: float | None = Field(ge=0)
    idle_minutes: Count | None
    ends_at: Moment | None = None


class SessionEvent(TranscriptEvent):
    """The session's model and limits: once Claude can begin, and whenever they change."""

    kind: Literal["session"]
    model: ModelName | Literal[""]
    effort: Effort | None
    limits: Limits


class TranscriptPrompt(Report):
    """What a person asked for: `author` wrote it, `requested_by` asked for the work."""

    id: PromptId
    kind: PromptKind
    author: Name
    requested_by: Name
    url: Line
    title: Line
    body: Text


class PromptEvent(TranscriptEvent):
    """A prompt that a turn is about to be taken for."""

    kind: Literal["prompt"]
    prompt: TranscriptPrompt


class TurnStartedEvent(TranscriptEvent):
    """Claude begins to work on the prompt."""

    kind: Literal["turn_started"]


class TurnFinishedEvent(TranscriptEvent):
    """The turn is over. `turns` and `cost_usd` count from the session's start; `result` is Claude's last message."""

    kind: Literal["turn_finished"]
    is_error: bool
    interrupted: bool
    turns: Count
    cost_usd: float = Field(ge=0)
    head_sha: Sha | None
    result: Text


class SpokenEvent(TranscriptEvent):
    """What Claude says; `parent` is the tool call of the subagent that says it, null for Claude itself."""

    text: Text
    parent: Name | None


class MessageEvent(SpokenEvent):
    """Claude's message, in Markdown."""

    kind: Literal["message"]


class ThinkingEvent(SpokenEvent):
    """A summary of what Claude thinks."""

    kind: Literal["thinking"]


class ToolCallEvent(TranscriptEvent):
    """Claude uses a tool. `cut` names a member of `input` by its path, such as `input.content`."""

    kind: Literal["tool_call"]
    id: Name
    tool: Name
    input: dict[str, JsonValue]
    parent: Name | None


class ToolResultEvent(TranscriptEvent):
    """What the tool that was called as `id` responded."""

    kind: Literal["tool_result"]
    id: Name
    is_error: bool
    text: Text


class FileChangeEvent(TranscriptEvent):
    """What the tool call `id` changed in a file: `path` in the work tree, `diff` as `git diff` shows it."""

    kind: Literal["file_change"]
    id: Name
    path: Line
    diff: Text


class TodoItem(Report):
    """One item of Claude's to-do list."""

    text: Line
    status: Literal["pending", "in_progress", "completed"]


class TodoEvent(TranscriptEvent):
    """Claude's to-do list, all of it, as it is from now on."""

    kind: Literal["todo"]
    items: tuple[TodoItem, ...] = Field(max_length=100)


class CommitEvent(TranscriptEvent):
    """A commit that was pushed to the session's branch."""

    kind: Literal["commit"]
    sha: Sha
    subject: Line
    additions: Count
    deletions: Count


class TotalDiffEvent(TranscriptEvent):
    """All that the branch changes, against the point where it left its base."""

    kind: Literal["total_diff"]
    files: Count
    additions: Count
    deletions: Count


class CommandEvent(TranscriptEvent):
    """A command that a person gave, such as `stop` or `model`: by whom and where, and what stood behind its name.

    Earlier agents report an `interrupt` themselves, without knowing by whom.
    """

    kind: Literal["command"]
    name: Name
    author: Name
    url: Line
    argument: Line = ""


class PreviewEvent(TranscriptEvent):
    """How the preview is from now on; `detail` is a sentence for people."""

    kind: Literal["preview"]
    state: PreviewState
    detail: Line


class LogEvent(TranscriptEvent):
    """Lines that `source` wrote, without terminal control sequences."""

    kind: Literal["log"]
    source: Annotated[str, Field(pattern=r"^(install|dev_server|service:[A-Za-z0-9._-]{1,100})$")]
    text: Text


class ServiceEvent(TranscriptEvent):
    """How a service that the repository asks for is from now on."""

    kind: Literal["service"]
    name: Name
    state: Name


class NoticeEvent(TranscriptEvent):
    """Something that people are to know of the session."""

    kind: Literal["notice"]
    text: Text


class PictureEvent(TranscriptEvent):
    """A page before and after the turn, as pictures of that SHA-256 at `width` pixels; before null if there's none."""

    kind: Literal["picture"]
    page: Line
    width: Annotated[int, Field(ge=1, le=10_000), WHOLE]
    before: Digest | None
    after: Digest


class StatusEvent(TranscriptEvent):
    """The session's status from now on; `reason` says why it has ended, else it's empty."""

    kind: Literal["status"]
    status: SessionStatus
    reason: Text


class ExecutionEvent(TranscriptEvent):
    """A state that the session's execution went through, with the error of its last attempt if it failed.

    `exited` is null where the state hadn't been left when the session ended.
    """

    kind: Literal["execution"]
    state: Name
    entered: Moment
    exited: Moment | None
    retries: Count
    error: Line | None
    cause: Text | None


AgentEvent = Annotated[
    SessionEvent
    | PromptEvent
    | TurnStartedEvent
    | TurnFinishedEvent
    | MessageEvent
    | ThinkingEvent
    | ToolCallEvent
    | ToolResultEvent
    | FileChangeEvent
    | TodoEvent
    | CommitEvent
    | TotalDiffEvent
    | CommandEvent
    | PreviewEvent
    | LogEvent
    | ServiceEvent
    | NoticeEvent
    | PictureEvent,
    Field(discriminator="kind"),
]
WorkflowEvent = Annotated[StatusEvent | ExecutionEvent | CommandEvent | NoticeEvent, Field(discriminator="kind")]


class TranscriptBatch(Report):
    """The agent's next events, in order. `batch` counts its batches from 1.

    They take at most 65,536 bytes in JSON.
    """

    batch: Annotated[int, Field(ge=1, le=1_000_000), WHOLE]
    events: tuple[AgentEvent, ...] = Field(min_length=1, max_length=EVENTS_LIMIT)

    @model_validator(mode="after")
    def _is_small(self) -> Self:
        size = len(self.model_dump_json(exclude_unset=True).encode())
        if size > BATCH_LIMIT_BYTES:
            raise ValueError(f"a batch of {size} bytes, of {BATCH_LIMIT_BYTES} at most")
        return self

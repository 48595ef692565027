"""What one webhook delivery asks for: a session's start, its end, a comment, review or commits for it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from cloud_agent.domain.session.session import Ending, SessionStatus

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_agent.domain.conversation.commands import Command
    from cloud_agent.domain.conversation.prompts import Prompt
    from cloud_agent.domain.session.agents import Agent
    from cloud_agent.domain.session.repository import GitHubRepository
    from cloud_agent.domain.session.session_request import SessionRequest

MERGED = Ending(status=SessionStatus.COMPLETED, reason="The pull request was merged.")


@dataclass(frozen=True)
class Start:
    """A label requests a session; `prompt` is the issue or pull request as it stood then, `node_id` GraphQL's name."""

    request: SessionRequest
    prompt: Prompt
    node_id: str

    @property
    def identity(self) -> str:
        """The delivery's id."""
        return self.request.triggered_by


class Obstacle(Enum):
    """Why no session can work on a pull request's branch."""

    FORK = auto()
    DEFAULT_BRANCH = auto()


@dataclass(frozen=True)
class LabelPull:
    """A person put a trigger label on a pull request: a session starts on its branch unless there's an obstacle."""

    start: Start
    label: str
    obstacle: Obstacle | None

    @property
    def identity(self) -> str:
        """The delivery's id."""
        return self.start.identity


@dataclass(frozen=True)
class Closer:
    """Who closed an issue, and by which delivery."""

    login: str
    delivery_id: str


@dataclass(frozen=True)
class End:
    """The session of this issue, or of this pull request, is to end.

    `at` is when GitHub says that it happened: a late delivery must not end a session that began after it.
    With `agent`, only a session in which that agent works: a label ends what it has started.
    With `closer`, only if that person may: GitHub lets whoever wrote an issue close it.
    """

    repository: GitHubRepository
    ending: Ending
    issue_number: int | None = None
    pull_number: int | None = None
    at: datetime | None = None
    agent: Agent | None = None
    closer: Closer | None = None


@dataclass(frozen=True)
class Origin:
    """Where something was written: the pull request or its issue, the installation to reply by, and its author."""

    repository: GitHubRepository
    default_branch: str
    number: int
    is_open: bool
    author: str
    is_issue: bool = False
    author_id: int | None = None


@dataclass(frozen=True)
class Steer:
    """What somebody wrote on a pull request or its issue: prompts for Claude, if any, and commands between the lines.

    More than one prompt are the parts of a review too long for one. `unasked` says why there is none where something is
    written that asks nothing of Claude. `unknown_commands` look like commands and are none. `identity` names the text
    for good, in whichever delivery it comes: `712345#issue_comment-123`; `id` sorts by when people wrote, `url` is
    where it stands. `model` is what stands behind `/model`. `node_ids` are what is shown to have been read.
    """

    origin: Origin
    identity: str
    id: str
    url: str
    node_ids: tuple[str, ...]
    at: datetime
    prompts: tuple[Prompt, ...]
    commands: frozenset[Command]
    unknown_commands: tuple[str, ...] = ()
    unasked: str = ""
    model: str = ""

    @property
    def is_unasked(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.prompts or self.commands or self.unknown_commands)


@dataclass(frozen=True)
class Review:
    """A review was submitted, with its comments. `node_id` is the review's or a comment's of it, whichever event came.

    GitHub sends an event for the review and one for each comment, in any order; each leads here, and the first one that
    comes has the whole review read.
    """

    origin: Origin
    number: int
    node_id: str

    @property
    def identity(self) -> str:
        """The review's own, whichever of its events this is: `712345#pull_request_review-123`."""
        return f"{self.origin.repository.id}#pull_request_review-{self.number}"


@dataclass(frozen=True)
class Follow:
    """A branch was moved to `head_sha`: whichever session works on it has to follow."""

    repository: GitHubRepository
    branch: str
    head_sha: str


@dataclass(frozen=True)
class FollowBase:
    """A pull request is for another branch by now: its session has to follow."""

    repository: GitHubRepository
    pull_number: int


@dataclass(frozen=True)
class CommentEdit:
    """A comment was edited or deleted by `origin.author`, who is its author or not. Its prompt would have this id."""

    origin: Origin
    by_author: bool
    number: int
    prompt_id: str
    at: datetime

    def is_of(self, prompt: Prompt) -> bool:
        """Whether the prompt was made of the comment."""
        return prompt.id == self.prompt_id


@dataclass(frozen=True)
class ReviewEdit:
    """A review, or a comment of it, was edited, or such a comment deleted: then `node_id` is None."""

    origin: Origin
    by_author: bool
    number: int
    node_id: str | None

    def is_of(self, prompt: Prompt) -> bool:
        """Whether the prompt was made of the review."""
        return prompt.review_id == self.number


@dataclass(frozen=True)
class Ignore:
    """Nothing is to be done; `reason` is returned to GitHub and read in its list of deliveries."""

    reason: str


Decision = Start | LabelPull | End | Steer | Review | CommentEdit | ReviewEdit | Follow | FollowBase | Ignore

"""What the agent is asked: the issue or pull request first, then what people write on the pull request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# Sorts before every other: what the label was added to is the first prompt.
INITIAL_PROMPT_ID = "0" * 26
GHOST = "ghost"  # GitHub's name for whoever has no account any more
FAILURES_LIMIT = 2  # sessions that failed while a prompt was being worked on: once may be chance
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class PromptKind(StrEnum):
    """Where a prompt was written."""

    ISSUE = "issue"
    PULL_REQUEST = "pull_request"
    COMMENT = "comment"
    REVIEW = "review"
    REVIEW_COMMENT = "review_comment"

    @property
    def is_labelled(self) -> bool:
        """Whether it's what a label was added to: a session's first prompt."""
        return self in {PromptKind.ISSUE, PromptKind.PULL_REQUEST}


class PromptState(StrEnum):
    """PENDING → TAKEN (Claude works on it) → ANSWERED, or PENDING → CANCELLED (its text was deleted)."""

    PENDING = "PENDING"
    TAKEN = "TAKEN"
    ANSWERED = "ANSWERED"
    CANCELLED = "CANCELLED"


class Thread(BaseModel):
    """A thread of a review: the comment that's replied to, by its id, what it's on, and its address."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    comment_id: int
    place: str
    url: str


class Remark(BaseModel):
    """A comment on the issue, or on lines of the pull request: then `place` says which. Untrusted text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    author: str
    created_at: str
    url: str
    body: str
    place: str = ""


class Prompt(BaseModel):
    """One thing the agent is asked. Untrusted text: it is handed on as data and never obeyed here.

    The text is what GitHub shows of it; `left_out` says what kinds of things it doesn't show. `author` wrote it,
    `requested_by` asked for the work and may write to the repository. What `is_edited` isn't what the label was added
    to any more, whose title and body `labelled` has the digests of; a comment or review was edited by somebody other
    than its author.
    `labels`, `discussion` and `mentioned` are what stands beside an issue, `history` what earlier sessions did.
    `comment_id` is the comment in whose thread the reply belongs; a review has `threads` instead, which its text
    numbers from one on. `review_id` is the review that it's of. `node_ids` are GitHub's global ids of what it was read
    from. `failures` counts the sessions that failed while it was being worked on.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    kind: PromptKind
    title: str = ""
    body: str
    author: str
    requested_by: str = ""
    requested_by_id: int | None = None
    url: str
    created_at: str
    left_out: tuple[str, ...] = ()
    labelled: tuple[str, ...] = ()
    is_edited: bool = False
    edited_by: str = ""
    labels: tuple[str, ...] = ()
    discussion: tuple[Remark, ...] = ()
    mentioned: tuple[str, ...] = ()
    history: str = ""
    comment_id: int | None = None
    threads: tuple[Thread, ...] = ()
    review_id: int | None = None
    node_ids: tuple[str, ...] = ()
    state: PromptState = PromptState.PENDING
    failures: int = 0


@dataclass(frozen=True)
class Inheritance:
    """What the next session of a pull request is asked, and what is abandoned because it ends every session."""

    taken_over: tuple[Prompt, ...]
    abandoned: tuple[Prompt, ...]


def inherited(unanswered: Iterable[Prompt], *, has_failed: bool) -> Inheritance:
    """Divide what an earlier session has left unanswered.

    A prompt that was being worked on when the session failed may be why it failed; after `FAILURES_LIMIT` of them it is
    not tried again, or no restart would ever get past it. The issue itself is asked of every session anyway.
    """
    taken_over, abandoned = list[Prompt](), list[Prompt]()
    for prompt in unanswered:
        if prompt.id == INITIAL_PROMPT_ID:
            continue
        failures = prompt.failures + (has_failed and prompt.state is PromptState.TAKEN)
        if failures >= FAILURES_LIMIT:
            abandoned.append(prompt)
        else:
            anew = {"state": PromptState.PENDING, "failures": failures, "node_ids": ()}  # it has been seen to be read
            taken_over.append(prompt.model_copy(update=anew))
    return Inheritance(tuple(taken_over), tuple(abandoned))


def follow_up_id(kind: PromptKind, comment_id: int, created_at: datetime) -> str:
    """Return a ULID that is always the same for the same comment and sorts by when people wrote.

    Deliveries come out of order and come again: neither may change the order of the prompts or their number. Time
    (48 bits, milliseconds) comes first; GitHub tells it to the second, so its own id (64 bits) decides within one.
    """
    milliseconds = int(created_at.timestamp() * 1000)
    number = milliseconds << 80 | comment_id << 8 | list(PromptKind).index(kind)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))

"""A review with its comments on lines, as one prompt: its verdict, its text, and each thread with what it's on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.commands import read_commands
from cloud_agent.domain.conversation.hidden_text import as_shown
from cloud_agent.domain.conversation.messages import fenced
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind, Thread, follow_up_id
from cloud_agent.domain.conversation.reviews import threads_of
from cloud_agent.domain.session.session import timestamp
from cloud_agent.webhook.decisions import Ignore, Steer
from cloud_agent.webhook.steering import OWN, is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_agent.domain.conversation.addressing import Listener
    from cloud_agent.domain.conversation.commands import Command
    from cloud_agent.domain.conversation.reviews import Review, ReviewComment
    from cloud_agent.webhook import decisions

HUNK_LIMIT = 4_000  # characters of the changes that a thread is on; the line in question stands last
THREADS_LIMIT = 20  # threads of a prompt: each gets a reply, and all share what a turn's result may hold
PART_LIMIT_BYTES = 100_000  # of a prompt, unless a single text is longer; DynamoDB's items may have 400 KB
_VERDICTS = {"approved": "The review approves the changes.", "changes_requested": "The review requests changes."}


@dataclass
class _Reader:
    """Reads a review's texts one by one, and gathers what they have in common."""

    listener: Listener
    is_disregarded: bool
    commands: set[Command] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    model: str = ""
    left_out: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # global ids of the texts that something is done about

    def read(self, body: str, node_id: str, asks: Callable[[str], bool]) -> str:
        """Return what a text asks of Claude."""
        shown = as_shown(body)
        reading = read_commands(shown.text)
        text = reading.text.strip("\n") if self._counts(reading.text, asks) else ""
        if text:
            self.left_out += shown.left_out
        if text or reading.commands or reading.unknown:
            self.taken.append(node_id)
        self.commands |= reading.commands
        self.unknown += reading.unknown
        self.model = reading.model or self.model
        return text

    def _counts(self, text: str, asks: Callable[[str], bool]) -> bool:
        return bool(text.strip()) and not self.is_disregarded and asks(text)

    def body(self, review: Review) -> str:
        """Return what the review's own text asks: an approval's asks nothing unless Claude is called by name."""

        def asks(text: str) -> bool:
            if review.state == "approved":
                return self.listener.is_called(text)
            return review.state == "changes_requested" or self.listener.why_not(text) is None

        return self.read(review.body, review.node_id, asks)

    def thread(self, comments: Sequence[ReviewComment]) -> _Thread:
        """Return a thread with what the review's comments in it ask."""
        texts = [self.read(one.body, one.node_id, lambda text: self.listener.why_not(text) is None) for one in comments]
        last = comments[-1]
        thread = Thread(comment_id=last.id, place=last.place, url=last.url)
        return _Thread(thread, last.diff_hunk, tuple(filter(None, texts)))


@dataclass(frozen=True)
class _Thread:
    """A thread of the review: the comments that the review has in it, without their commands, on these changes."""

    thread: Thread
    hunk: str
    comments: tuple[str, ...]

    def text(self, heading: str) -> str:
        hunk = [fenced(self.hunk, HUNK_LIMIT)] if self.hunk else []
        return "\n\n".join([heading, *hunk, *self.comments])


def read_review(request: decisions.Review, review: Review, listener: Listener) -> Steer | Ignore:
    """Read a review for its session.

    One that is nothing but comments in a single thread is a review comment: its reply belongs in that thread.
    """
    comments = [comment for comment in review.comments if not is_own(comment.body)]
    if is_own(review.body) or (review.comments and not comments and not review.body.strip()):
        return OWN
    is_disregarded = listener.disregards([review.body, *(comment.body for comment in comments)])
    reader = _Reader(listener, is_disregarded=is_disregarded)
    body = reader.body(review)
    threads = [thread for one in threads_of(comments) if (thread := reader.thread(one)).comments]
    prompt = Prompt(
        id=_id(review),
        kind=PromptKind.REVIEW,
        body=_joined(_VERDICTS.get(review.state, ""), body),
        author=request.origin.author,
        requested_by=request.origin.author,
        requested_by_id=request.origin.author_id,
        url=review.url,
        created_at=timestamp(review.at),
        left_out=tuple(dict.fromkeys(reader.left_out)),
        review_id=review.id,
        node_ids=tuple(reader.taken),
    )
    return Steer(
        origin=request.origin,
        identity=request.identity,
        id=prompt.id,
        url=prompt.url,
        node_ids=tuple(reader.taken),
        at=review.at,
        prompts=_prompts(prompt, review, threads, has_text=bool(body)) if body or threads else (),
        commands=frozenset(reader.commands),
        unknown_commands=tuple(dict.fromkeys(reader.unknown)),
        model=reader.model,
        unasked="the review doesn't mention Claude" if is_disregarded else "the review asks nothing of Claude",
    )


def _prompts(prompt: Prompt, review: Review, threads: Sequence[_Thread], *, has_text: bool) -> tuple[Prompt, ...]:
    """Return the review's prompt with its threads; several, in order, where there is more than one can hold."""
    if len(threads) == 1 and not has_text:
        of = threads[0].thread
        return (
            prompt.model_copy(
                update={
                    "kind": PromptKind.REVIEW_COMMENT,
                    "title": of.place,
                    "body": _joined(prompt.body, threads[0].text(f"On {of.place}:")),
                    "url": of.url,
                    "comment_id": of.comment_id,
                }
            ),
        )
    return tuple(
        prompt.model_copy(
            update={
                "id": _id(review, part),
                "body": _joined(
                    prompt.body if part == 0 else "",
                    *(one.text(f"Thread {number}, on {one.thread.place}:") for number, one in enumerate(of_part, 1)),
                ),
                "threads": tuple(one.thread for one in of_part),
                "node_ids": prompt.node_ids if part == 0 else (),
            }
        )
        for part, of_part in enumerate(_parts(threads, len(prompt.body.encode())))
    )


def _parts(threads: Sequence[_Thread], used_bytes: int) -> list[list[_Thread]]:
    """Divide the threads into as many parts as they need; `used_bytes` of the first one are the review's own text."""
    parts: list[list[_Thread]] = [[]]
    for thread in threads:
        size = len(thread.text("").encode())
        if used_bytes and (len(parts[-1]) == THREADS_LIMIT or used_bytes + size > PART_LIMIT_BYTES):
            parts.append([])
            used_bytes = 0
        parts[-1].append(thread)
        used_bytes += size
    return parts


def _id(review: Review, part: int = 0) -> str:
    """Return the id of a part's prompt: GitHub tells time to the second, so what's below is free to order the parts."""
    return follow_up_id(PromptKind.REVIEW, review.id, review.at + timedelta(milliseconds=part))


def _joined(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))

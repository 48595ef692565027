"""A review as GitHub has it: its verdict, its own text, and its comments on lines, which belong to threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.untrusted_text import without_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True)
class ReviewComment:
    """A comment on lines of a pull request's changes. A line that isn't there any more is None."""

    id: int
    node_id: str
    url: str
    body: str
    path: str
    diff_hunk: str
    line: int | None
    original_line: int | None
    start_line: int | None
    in_reply_to: int | None

    @property
    def place(self) -> str:
        """The file and lines it's on; of an outdated line, where it was written."""
        path, last = without_invisible(self.path), self.line or self.original_line
        if last is None:
            return path
        if self.line is None:
            return f"{path}, line {last} as it was then"
        if self.start_line is not None and self.start_line != last:
            return f"{path}, lines {self.start_line} to {last}"
        return f"{path}, line {last}"


@dataclass(frozen=True)
class Review:
    """A submitted review. `state` is GitHub's, in lower case: `approved`, `changes_requested`, `commented`."""

    id: int
    node_id: str
    url: str
    state: str
    body: str
    at: datetime
    comments: tuple[ReviewComment, ...]


def threads_of(comments: Iterable[ReviewComment]) -> list[list[ReviewComment]]:
    """Return the comments by thread, in the order in which the threads' first ones come.

    A thread is known by its first comment, which each reply in it names.
    """
    threads: dict[int, list[ReviewComment]] = {}
    for comment in comments:
        threads.setdefault(comment.in_reply_to or comment.id, []).append(comment)
    return list(threads.values())

"""What a branch has got since somebody last looked, and what it changes in all, in numbers for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Git = Callable[..., Awaitable[str]]

_COMMITS_LIMIT = 100


@dataclass(frozen=True)
class Commit:
    """A commit, with the lines that it adds and deletes; a merge has none of its own."""

    sha: str
    subject: str
    additions: int
    deletions: int


@dataclass(frozen=True)
class Diff:
    """So many files differ, by so many lines. Binary files have none."""

    files: int
    additions: int
    deletions: int


async def commits_between(git: Git, before: str, after: str) -> list[Commit]:
    """Return the commits to `after` that `before` doesn't have, the oldest first, of more than 100 the latest.

    Raises:
        GitError: Git doesn't know one of them.
    """
    printed = await git(
        "log", "--reverse", f"--max-count={_COMMITS_LIMIT}", "--format=%x00%H%x00%s", "--numstat", f"{before}..{after}"
    )
    _, *parts = printed.split("\0")
    commits = []
    for sha, rest in zip(parts[::2], parts[1::2], strict=True):
        subject, _, numbers = rest.partition("\n")
        diff = _sum(numbers)
        commits.append(Commit(sha, subject, diff.additions, diff.deletions))
    return commits


async def difference(git: Git, base: str, head: str) -> Diff:
    """Return what `head` changes since it left `base`.

    Raises:
        GitError: Git doesn't know one of them, or where they parted.
    """
    return _sum(await git("diff", "--numstat", f"{base}...{head}", "--"))


def _sum(numstat: str) -> Diff:
    rows = [line.split("\t") for line in numstat.splitlines() if line.count("\t") >= 2]  # noqa: PLR2004 - three columns
    added, deleted = (sum(int(row[column]) for row in rows if row[column].isdigit()) for column in (0, 1))
    return Diff(len(rows), added, deleted)

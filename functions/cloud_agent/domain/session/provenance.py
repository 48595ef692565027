"""Which commits are a session's own. A comment speaks of these and of no others.

Who commits chooses a commit's message and author, so neither takes a commit out: what changes a file is on the list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

INITIAL_SUBJECT = "chore: initialize Claude agent session for "
_INITIAL = re.compile(re.escape(INITIAL_SUBJECT) + r"#?[A-Za-z0-9]{1,40}(?:-\d{1,20})?")
CLAUDE = ("Claude", "noreply@anthropic.com")  # name and address that the agent's commits have as their author


@dataclass(frozen=True)
class Commit:
    """A commit as GitHub lists it; the first parent is the line it was made on, the others were merged into it.

    `author` is the name in it unless that is Claude's own identity or the App's: as all of Git's names, it's what was
    typed in.
    `is_empty` says that it's known to change no file.
    """

    sha: str
    message: str
    url: str
    parents: tuple[str, ...] = ()
    author: str | None = None
    is_empty: bool = False

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    @property
    def is_initial(self) -> bool:
        """Whether nothing is lost without it: it changes no file, and says what a session's initial commit says.

        So a rebase leaves the initial commit, under another sha. To any other use of its message, no file belongs.
        """
        return self.is_empty and _INITIAL.fullmatch(self.message.rstrip("\n")) is not None


def with_claudes(commits: Sequence[Commit], app: str | None) -> list[Commit]:
    """Return the commits, those whose author has the App's name known as Claude's like those of Claude's own."""
    return [replace(commit, author=None) if app and commit.author == app else commit for commit in commits]


@dataclass(frozen=True)
class Lineage:
    """The first-parent line of a branch from its head down, newest first.

    `complete` says that it was followed down to the session's initial commit, or to what a pull request had before the
    session, neither of which is part of it. Where history was rewritten, the line runs on into whatever the branch was
    put on.
    """

    commits: tuple[Commit, ...]
    complete: bool


def lineage(listed: Sequence[Commit], initial_sha: str | None, above: str | None = None) -> Lineage:
    """Follow first parents from the last of these commits, which GitHub lists oldest first.

    Nothing but its sha ends the line at the initial commit, or above another: a sha stands for all that is below it.
    """
    by_sha = {commit.sha: commit for commit in listed}
    line: list[Commit] = []
    commit = listed[-1] if listed else None
    while commit is not None:
        if commit.sha in {initial_sha, above}:
            return Lineage(tuple(line), complete=True)
        line.append(commit)
        below = commit.parents[0] if commit.parents else ""
        if below and below == above:
            return Lineage(tuple(line), complete=True)
        commit = by_sha.get(below)
    return Lineage(tuple(line), complete=False)


def initial_commit(ahead: Sequence[Commit]) -> str | None:
    """Return the sha of the initial commit of a branch, of which these are what the default branch lacks.

    Only the lowest of its line can be: whatever is below that is the default branch's.
    """
    line = lineage(ahead, None).commits
    return line[-1].sha if line and line[-1].is_initial else None


def cut(line: Lineage, not_on_default_branch: Collection[str]) -> tuple[Commit, ...]:
    """Return the beginning of an incomplete line that the default branch does not have."""
    length = next(
        (index for index, commit in enumerate(line.commits) if commit.sha not in not_on_default_branch),
        len(line.commits),
    )
    return line.commits[:length]


def others_met(commits: Sequence[Commit], seen_on: Mapping[str, str], branch: str) -> set[str]:
    """Return the other sessions' branches that this line runs through: those on which its commits were first seen."""
    return {seen_on.get(commit.sha, branch) for commit in commits} - {branch}


def own_commits(
    commits: Sequence[Commit], seen_on: Mapping[str, str], branch: str, elsewhere: Collection[str] = ()
) -> tuple[Commit, ...]:
    """Those of the line that are this branch's own, newest first.

    `seen_on` is the branch on which a commit was first seen. A commit that nobody has recorded yet is the branch's
    own unless it is also on another session's branch that the line runs through (`elsewhere`): who of the two made
    it cannot be told, so neither claims it from the other.
    """
    return tuple(
        commit
        for commit in commits
        if not commit.is_initial
        and (branch == seen_on[commit.sha] if commit.sha in seen_on else commit.sha not in elsewhere)
    )

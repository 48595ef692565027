"""Which commits are a session's own. A comment speaks of these and of no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.session.issue_key import branch_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

INITIAL_SUBJECT = "chore: initialize Claude agent session for "
_INITIAL = re.compile(re.escape(INITIAL_SUBJECT) + r"#?([A-Za-z0-9]{1,40}(?:-\d{1,20})?)")


@dataclass(frozen=True)
class Commit:
    """A commit as GitHub lists it; the first parent is the line it was made on, the others were merged into it."""

    sha: str
    subject: str
    url: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lineage:
    """The first-parent line of a branch from its head down, newest first.

    `complete` says that it was followed down to the session's initial commit, which is not part of it. Where history
    was rewritten without that commit, the line runs on into whatever the branch was put on.
    """

    commits: tuple[Commit, ...]
    complete: bool


def lineage(listed: Sequence[Commit], initial_sha: str | None, initial_message: str) -> Lineage:
    """Follow first parents from the last of these commits, which GitHub lists oldest first.

    A rebase keeps the initial commit's message and changes its sha, so either tells it.
    """
    by_sha = {commit.sha: commit for commit in listed}
    line: list[Commit] = []
    commit = listed[-1] if listed else None
    while commit is not None:
        if initial_sha == commit.sha or initial_message == commit.subject:
            return Lineage(tuple(line), complete=True)
        line.append(commit)
        commit = by_sha.get(commit.parents[0]) if commit.parents else None
    return Lineage(tuple(line), complete=False)


def cut(line: Lineage, not_on_default_branch: Collection[str]) -> tuple[Commit, ...]:
    """Return the beginning of an incomplete line that the default branch does not have."""
    length = next(
        (index for index, commit in enumerate(line.commits) if commit.sha not in not_on_default_branch),
        len(line.commits),
    )
    return line.commits[:length]


def others_met(commits: Sequence[Commit], seen_on: Mapping[str, str], branch: str) -> set[str]:
    """Return the other sessions' branches that this line runs through, by commits first seen there and initial ones."""
    branches = {seen_on.get(commit.sha, branch) for commit in commits}
    # Anybody can write such a message, and the name goes into a request's path: it has to have the form of a key.
    begun = {branch_name(match[1]) for commit in commits if (match := _INITIAL.fullmatch(commit.subject))}
    return (branches | begun) - {branch}


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
        if not commit.subject.startswith(INITIAL_SUBJECT)
        and (branch == seen_on[commit.sha] if commit.sha in seen_on else commit.sha not in elsewhere)
    )

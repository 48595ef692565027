"""Commits as people read them in comments: what is in a commit's message, or in its author's name, is never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import counted, plain, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.session.provenance import Commit

AUTHOR_LIMIT = 40  # characters of a commit's author
SUBJECT_LIMIT = 72  # characters of a commit's first line, as Git itself advises
UNFOLDED = 3  # commits that are shown without unfolding
LISTED = 100  # commits that are shown at all: more would take the comment towards GitHub's 65,536 characters


def commit_lines(commits: Sequence[Commit]) -> list[str]:
    """Return a list item for each commit: its sha, linked, its first line, and its author unless that is Claude."""
    return [
        f"- [`{c.sha[:7]}`]({c.url}) {plain(shortened(c.subject, SUBJECT_LIMIT))}".rstrip() + _by(c) for c in commits
    ]


def branch_commits(commits: Sequence[Commit], count: int) -> str:
    """Return the first of a branch's `count` commits, newest first, and the others folded."""
    lines = commit_lines(commits[:LISTED])
    shown = "\n".join(lines[:UNFOLDED])
    text = f"**{counted(count, 'commit')} on this branch**, newest first\n\n{shown}"
    if len(lines) > UNFOLDED:
        rest = "\n".join(lines[UNFOLDED:])
        more = f"\n\n… and {counted(count - len(lines), 'older commit')}." if count > len(lines) else ""
        text += f"\n\n<details><summary>{count - UNFOLDED} more</summary>\n\n{rest}{more}\n\n</details>"
    return text


def _by(commit: Commit) -> str:
    if commit.author is None:
        return ""
    return f" · by {plain(shortened(commit.author, AUTHOR_LIMIT)) or 'an unnamed author'}"

"""What merging would close, as GitHub reads it in commit messages, whoever wrote these, and how a title closes nothing.

GitHub Docs, "Linking a pull request to an issue": the nine keywords, in any case, with or without a colon, before `#10`
or `octo-org/octo-repo#100`. GitHub also takes `GH-10` and the issue's address. The commit that merges a pull request
has its title in the message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import listed, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN = 10  # issues; a commit message may name thousands
_NAME = r"[\w.-]{1,100}/[\w.-]{1,100}"
_CLOSES = re.compile(
    r"\b(?P<keyword>close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b(?P<between>:?\s*)"
    rf"(?P<issue>(?:(?P<repo>{_NAME})?\#|GH-|https?://[^\s/]+/(?P<linked>{_NAME})/(?:issues|pull)/)(?P<number>\d{{1,10}}))",
    re.IGNORECASE,
)


def closed_by(messages: Iterable[str], repo: str, issue_number: int) -> tuple[str, ...]:
    """Return the issues that these messages close, each once: `#10` in this repository, `octo-org/octo-repo#100`.

    Without the session's own issue, which its pull request is meant to close.
    """
    found = [_name_of(match, repo) for message in messages for match in _CLOSES.finditer(message)]
    return tuple(dict.fromkeys(name for name in found if name != f"#{issue_number}"))


def without_closing(title: str) -> str:
    """Return the title with a word between a keyword and its issue: "Fixes issue #7", as agents' commits have it."""
    return _CLOSES.sub(lambda found: f"{found['keyword']}{found['between'] or ' '}issue {found['issue']}", title)


def closing_note(closes: Sequence[str], source: str = "a commit message") -> str:
    """Return what merging does besides. Agents write nothing that closes an issue, but people may."""
    if not closes:
        return ""
    names = listed([plain(name) for name in closes[:SHOWN]])
    return f"**Merging closes {names}**, because {source} says so."


def _name_of(match: re.Match[str], repo: str) -> str:
    other = match["repo"] or match["linked"] or repo
    return f"{'' if other.lower() == repo.lower() else other}#{int(match['number'])}"

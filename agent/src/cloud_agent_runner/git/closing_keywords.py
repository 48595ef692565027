"""Commit messages by which merging would close an issue, said so that it closes none.

GitHub Docs, "Linking a pull request to an issue": nine keywords, in any case, with or without a colon, right before
`#10` or `octo-org/octo-repo#100`. GitHub also takes `GH-10` and the issue's address. A mention in a commit's message
notifies nobody since 2025-12-08 (GitHub Changelog, 2025-11-07, "Removing notifications for @mentions in commit
messages").
"""

from __future__ import annotations

import re

_NAME = r"[\w.-]{1,100}"
_CLOSES = re.compile(
    r"\b(?P<keyword>close[sd]?|fix(?:e[sd])?|resolve[sd]?)(?P<between>:?\s*)"
    rf"(?P<issue>(?:{_NAME}/{_NAME})?\#\d|GH-\d|https?://[^\s/]+/{_NAME}/{_NAME}/(?:issues|pull)/\d)",
    re.IGNORECASE,
)


def without_closing(message: str) -> str:
    """Return the message with a word between a keyword and its issue, which stays a link: "Fixes issue #7"."""
    return _CLOSES.sub(lambda found: f"{found['keyword']}{found['between'] or ' '}issue {found['issue']}", message)

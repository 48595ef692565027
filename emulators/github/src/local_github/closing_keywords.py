"""Issues that close when the text that names them reaches the default branch.

GitHub Docs, "Linking a pull request to an issue": nine keywords, in any case, with or without a colon, before `#10` or
`octo-org/octo-repo#100`, in a pull request's description or a commit's message. Only issues of the same repository
close here: for another one, GitHub asks whether the person who merges may write there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_github.documents import issues
from local_github.tracker import Edit, edit_issue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_github.site import Acting

_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+(?P<repo>[\w.-]+/[\w.-]+)?#(?P<number>\d{1,9})\b", re.IGNORECASE
)


def close_named(acting: Acting, texts: Iterable[str]) -> None:
    """Close the open issues that these texts say are closed, as completed, and announce each."""
    for number in dict.fromkeys(_numbers(texts, acting.repo.full_name)):
        sql = "SELECT * FROM issues WHERE repository_id = ? AND number = ? AND state = 'open'"
        row = acting.site.storage.one(sql, acting.repo.id, number)
        if row and not issues.is_pull(row):
            edit_issue(acting, row, Edit(row["title"], row["body"], "closed", "completed"))


def _numbers(texts: Iterable[str], full_name: str) -> Iterable[int]:
    for text in texts:
        for match in _CLOSES.finditer(text):
            if (match["repo"] or full_name).lower() == full_name.lower():
                yield int(match["number"])

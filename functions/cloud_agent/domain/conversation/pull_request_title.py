"""The pull request's title: the issue's, which anybody may have written, able to close no other issue."""

from __future__ import annotations

from cloud_agent.domain.conversation.closing_keywords import without_closing
from cloud_agent.domain.conversation.messages import TITLE_LIMIT, shortened
from cloud_agent.domain.conversation.untrusted_text import without_invisible


def pull_request_title(issue_title: str, issue_key: str) -> str:
    """Return the issue's title as one line that GitHub accepts, and that closes nothing as a commit's first line."""
    line = " ".join(without_invisible(issue_title).split()) or f"Claude: issue {issue_key}"
    return shortened(without_closing(line), TITLE_LIMIT)

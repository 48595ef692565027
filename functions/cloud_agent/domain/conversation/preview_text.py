"""A session's preview in words. What the agent reports of it is data, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import fenced, prose, sentence
from cloud_agent.domain.session.preview import PreviewState

if TYPE_CHECKING:
    from cloud_agent.domain.session.preview import Preview

_LOG_LIMIT = 2_000  # characters of the end: a comment is read, a log is searched


def preview_state(preview: Preview) -> str:
    """Return the state and its detail, on one line."""
    detail = sentence(prose(preview.detail)) if preview.detail else ""
    match preview.state:
        case PreviewState.STARTING:
            return f"⏳ Starting: {detail}" if detail else "⏳ Starting."
        case PreviewState.LIVE:
            return f"⚠️ Live, but {detail}" if detail else "🟢 Live."
        case PreviewState.FAILED:
            return f"❌ Failed: {detail}" if detail else "❌ Failed."
        case PreviewState.NONE:
            return f"None: {detail}" if detail else "None."


def preview_log(preview: Preview | None) -> str:
    """Return why the preview isn't up, in the words of what was run: shown while it has failed."""
    if preview is None or preview.state is not PreviewState.FAILED or not preview.log:
        return ""
    log = fenced(preview.log, _LOG_LIMIT)
    return (
        f"<details open><summary>The preview's last log lines</summary>\n\n{log}\n\n"
        "Claude sees this log, too. The preview starts automatically once the cause is fixed.\n\n</details>"
    )

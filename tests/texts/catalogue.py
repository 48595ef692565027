"""The texts that people read, collected from the code that writes them: one Markdown file for each kind."""

from __future__ import annotations

from pathlib import Path

from tests.texts import command_line, notifications, pages, pull_request

SNAPSHOTS = Path(__file__).parent / "snapshots"


def catalogue() -> dict[str, str]:
    """Return each file's name and text."""
    kinds = {
        "status-comment.md": ("The status comment", pull_request.status_comments()),
        "replies.md": ("Replies", pull_request.replies()),
        "failures.md": ("Failures", pull_request.failures()),
        "pull-request.md": ("The pull request", pull_request.pull_request()),
        "notifications.md": ("Notifications", notifications.notifications()),
        "pages.md": ("The session's pages", pages.page_texts()),
        "command-line.md": ("The command line", command_line.helps()),
        "doctor-checks.md": ("The doctor's checks", command_line.checks()),
    }
    return {name: _document(title, texts) for name, (title, texts) in kinds.items()}


def _document(title: str, texts: dict[str, str]) -> str:
    sections = (f"## {name}\n\n{text.strip()}\n" for name, text in texts.items())
    return "\n".join([f"# {title}\n", *sections])

"""The pull request's description: a section of ours between two markers, and people's own text around it.

GitHub can make a description the message of a squash commit. So the section says what the branch changes and which
issue it closes, and of the session only that it ended before its work was merged.
"""

from __future__ import annotations

import re

from cloud_agent.domain.conversation.foreign_markdown import contained
from cloud_agent.domain.conversation.messages import BODY_LIMIT, plain, sentence, shortened
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX

_LIMIT = 8_000  # characters of what Claude writes; the Agent API admits no more than half of it
_REASON_LIMIT = 300  # characters of why a session ended
_BEGIN = f"{OWN_PREFIX}description, rewritten after each turn: write above or below it -->"
_END = f"{OWN_PREFIX}end of description -->"
# Up to its last end: whatever looked like one within it would leave the rest standing as a person's own text.
_SECTION = re.compile(rf"{re.escape(_BEGIN)}\r?\n(.*)\r?\n{re.escape(_END)}", re.DOTALL)
_NOTE = re.compile(r"\n\n> \[!NOTE\]\r?\n> [^\n]*\Z")


def references(issue_number: int, issue_key: str, tracker_url: str) -> str:
    """Return the lines that close the issue and, where the session has a tracker's key, lead to the tracker."""
    closes = f"Closes #{issue_number}"
    if not tracker_url or issue_key.isdecimal():
        return closes
    return f"{closes}\n[{issue_key}]({tracker_url.rstrip('/')}/{issue_key})"


def first_description(requested_by: str, references: str) -> str:
    """Return what a pull request is opened with, and keeps where Claude describes nothing."""
    return _section(f"Written by Claude Code, as requested by {plain(requested_by)}.\n\n{references}")


def described(body: str, description: str, references: str) -> str | None:
    """Return the body with Claude's description in the section; None where that changes nothing.

    Claude's words can do no more than be read. A person who took the markers out wants no such section.
    """
    text = contained(description, _LIMIT).strip()
    return _with_section(body, f"{text}\n\n{references}") if text else None


def ended(body: str, reason: str, *, failed: bool) -> str | None:
    """Return the body with a note in the section that the session ended before the work was merged; None as above."""
    section = _SECTION.search(body)
    if section is None:
        return None
    what = "failed" if failed else "ended"
    note = f"> [!NOTE]\n> Claude's session {what}: {sentence(plain(shortened(reason, _REASON_LIMIT)))}"
    return _with_section(body, f"{_NOTE.sub('', section[1])}\n\n{note}")


def _with_section(body: str, text: str) -> str | None:
    changed = _SECTION.sub(lambda _: _section(text), body, count=1)
    return changed if changed != body and len(changed) <= BODY_LIMIT else None


def _section(text: str) -> str:
    return f"{_BEGIN}\n{text}\n{_END}"

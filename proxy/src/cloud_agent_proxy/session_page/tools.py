"""Tool calls in a line: which tool, and on what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_proxy.session_page.events import Event

_MOST_CHARACTERS = 300
# The input that says what a call is about, by the tool; Claude Code's own names.
_SUBJECTS = {
    "Bash": ("command",),
    "Read": ("file_path",),
    "Write": ("file_path",),
    "Edit": ("file_path",),
    "MultiEdit": ("file_path",),
    "NotebookEdit": ("notebook_path",),
    "Glob": ("pattern", "path"),
    "Grep": ("pattern", "path"),
    "WebFetch": ("url",),
    "WebSearch": ("query",),
    "Task": ("description",),
    "Agent": ("description",),
    "Skill": ("skill",),
}
_ICONS = {
    "Bash": "terminal",
    "Read": "file",
    "Write": "pencil",
    "Edit": "pencil",
    "MultiEdit": "pencil",
    "NotebookEdit": "pencil",
    "Glob": "search",
    "Grep": "search",
    "WebSearch": "search",
    "WebFetch": "globe",
    "TodoWrite": "list",
    "Task": "people",
    "Agent": "people",
}
_SHOWN_BY_THEIR_DIFF = {"Edit", "MultiEdit", "Write", "NotebookEdit"}


@dataclass(frozen=True)
class ToolCall:
    """How a call is shown."""

    name: str
    icon: str
    subject: str
    details: str
    """Its input, where the line does not say all of it."""


def describe_call(call: Event, *, has_diff: bool) -> ToolCall:
    """Return how to show a call; `has_diff` where what it changed is known."""
    tool, given = call.text("tool"), call.fields("input")
    names = _SUBJECTS.get(tool, ())
    said = names or [name for name, value in given.members.items() if isinstance(value, str)][:1]
    whole = "  ".join(filter(None, map(given.text, said))).strip()
    subject = next(iter(whole.splitlines()), "")[:_MOST_CHARACTERS]
    unsaid = given.members.keys() - {*names, "description", "timeout"}
    if has_diff and tool in _SHOWN_BY_THEIR_DIFF:
        details = ""
    elif unsaid or not names:
        details = json.dumps(given.members, indent=2, ensure_ascii=False) if given.members else ""
    else:
        details = whole if whole != subject else ""
    return ToolCall(_name(tool), _ICONS.get(tool, "tool"), subject, details)


def _name(tool: str) -> str:
    """Return the tool's name; `mcp__browser__navigate` is `browser: navigate`."""
    server, _, name = tool.removeprefix("mcp__").partition("__")
    return f"{server}: {name}" if tool.startswith("mcp__") and name else tool

"""How far Claude is with its to-do list, as the call that writes the list says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TODO_TOOL = "TodoWrite"
# Since Claude Code 2.1.142, this alone keeps TodoWrite, whose every call has the whole list. What replaces it changes
# one item at a time, by an id that only the result of an earlier call tells. Claude Code Docs: "Todo Lists".
TODO_ENVIRONMENT = {"CLAUDE_CODE_ENABLE_TASKS": "0"}
_MOST_ITEMS = 1_000


@dataclass(frozen=True)
class TodoProgress:
    """Items that are done, out of how many, and the one that Claude is at; empty between two."""

    done: int
    total: int
    current: str


def todo_progress(tool: str, arguments: Mapping[str, Any]) -> TodoProgress | None:
    """Return the progress if this call writes the list. Arguments are the model's, and may be anything."""
    items = arguments.get("todos") if tool == TODO_TOOL else None
    if not isinstance(items, list):
        return None
    todos = [item for item in items[:_MOST_ITEMS] if isinstance(item, dict)]
    current = next((item for item in todos if item.get("status") == "in_progress"), {})
    return TodoProgress(
        done=sum(item.get("status") == "completed" for item in todos),
        total=len(todos),
        current=str(current.get("activeForm") or current.get("content") or ""),
    )

"""The tools of Claude Code that a repository may give Claude, and what they are given as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from pathlib import Path

Tool = Literal["Bash", "Read", "Edit", "Write", "NotebookEdit", "Glob", "Grep", "TodoWrite", "Task"]
ALLOWED_TOOLS: tuple[Tool, ...] = get_args(Tool)


def seen_from(work_tree: Path, text: str) -> str:
    """Return a tool's argument with paths as the repository has them."""
    return text.replace(f"{work_tree}/", "")

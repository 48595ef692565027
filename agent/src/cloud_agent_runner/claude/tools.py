"""The tools of Claude Code that a repository may give Claude."""

from __future__ import annotations

from typing import Literal, get_args

Tool = Literal["Bash", "Read", "Edit", "Write", "NotebookEdit", "Glob", "Grep", "TodoWrite", "Task"]
ALLOWED_TOOLS: tuple[Tool, ...] = get_args(Tool)

"""Claude Code: its process, its turns, what it is told and what it may use."""

from __future__ import annotations

PROGRAM = "claude code"
"""What it is called as a program of the workspace's user."""

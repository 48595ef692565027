"""Claude Code: its process, its turns, what it is told and what it may use."""

from __future__ import annotations

from cloud_agent_runner.claude_sdk import import_without_checks

# Before any of the modules here imports the SDK.
import_without_checks()

PROGRAM = "claude code"
"""What it is called as a program of the workspace's user."""

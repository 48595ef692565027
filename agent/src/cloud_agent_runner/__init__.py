"""The agent container: one session's supervisor, its dev server and Claude Code."""

from __future__ import annotations

from cloud_agent_runner.claude_sdk import leave_out_mcp

# Before any module imports the SDK, whichever comes first.
leave_out_mcp()

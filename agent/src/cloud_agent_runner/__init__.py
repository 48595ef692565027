"""The agent container: one session's supervisor, its dev server and Claude Code."""

"""Claude Code: its process, its turns, what it is told and what it may use."""

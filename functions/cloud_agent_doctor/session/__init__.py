"""One session's own path: its row, its task, its URL."""

"""One session's own path: its row, and whether its URL reaches its dev server."""

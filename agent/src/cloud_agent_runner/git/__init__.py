"""The session's branch: cloned, committed and pushed by the supervisor alone."""

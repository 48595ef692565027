"""Security groups and which of them lets whom in."""

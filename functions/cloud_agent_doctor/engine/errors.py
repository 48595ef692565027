"""What ends a check without a verdict."""

from __future__ import annotations


class DataUnavailableError(Exception):
    """Something a check needs could not be read; what it has found so far still counts."""

    def __init__(self, reason: str, permission: str = "", code: str = "") -> None:
        super().__init__(reason)
        self.permission = permission
        """The missing IAM action, if that's the reason."""
        self.code = code
        """AWS's error code, if AWS responded."""


class NotApplicableError(Exception):
    """The hop doesn't exist, and doesn't need to. The message says why."""

"""Which comments and reviews on a session's pull request Claude works on."""

from __future__ import annotations

from enum import StrEnum


class CommentTrigger(StrEnum):
    """ALL that ask for something, or those alone that mention Claude by name."""

    ALL = "all"
    MENTIONS = "mentions"

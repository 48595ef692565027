"""What a scan of commits reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FoundSecret:
    """What looks like a secret, where it was first committed; `path` is None in a commit's message. Not its value."""

    kind: str
    path: str | None
    line: int
    commit: str

"""What became of a delivery, as it is answered and remembered."""

from __future__ import annotations

Outcome = dict[str, str]


def ignored(reason: str) -> Outcome:
    """Nothing was to be done, and why."""
    return {"ignored": reason}

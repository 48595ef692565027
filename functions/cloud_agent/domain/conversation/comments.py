"""A comment on a pull request as a whole, as GitHub has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Comment:
    """What somebody wrote, and when; edits change its body alone."""

    id: int
    node_id: str
    url: str
    body: str
    at: datetime

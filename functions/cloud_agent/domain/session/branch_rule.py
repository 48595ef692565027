"""A rule of GitHub's for a session's branch, as the session's row keeps it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class BranchRule(BaseModel):
    """One rule for a branch; a rule about text has a pattern."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    operator: Literal["starts_with", "ends_with", "contains", "regex"] | None = None
    pattern: str = ""
    negate: bool = False

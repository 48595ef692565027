"""How far Claude is with the to-do list that it keeps, as the agent reports it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cloud_agent.domain.policy.limits import WHOLE

_Count = Annotated[int, Field(ge=0, le=1_000), WHOLE]


class TodoProgress(BaseModel):
    """Items that are done, out of how many, and the one that Claude is at; empty between two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    done: _Count
    total: _Count
    current: str = Field(default="", max_length=200)

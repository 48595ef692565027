"""The account that acts on GitHub for a deployment: its App's bot, or whose personal token it has."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class App(BaseModel):
    """An account, by its name and its number, which stays the same."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    login: str
    id: int

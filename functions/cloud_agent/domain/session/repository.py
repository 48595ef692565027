"""A repository as sessions know it: by the number that GitHub gives it for good."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GitHubRepository:
    """A repository; `name` (owner/name) and the App's installation that reaches it are those of the moment.

    Renamed or transferred, it keeps its `id`, by which rows are found and tokens are made. Another repository may take
    the name that it had.
    """

    id: int
    name: str
    installation_id: int | None

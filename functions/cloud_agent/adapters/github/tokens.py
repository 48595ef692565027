"""A token for GitHub, and what it is good for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Token(BaseModel):
    """A bearer of GitHub's API and of Git over HTTP (user `x-access-token`). Has no repr: it is a secret."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    value: str
    expires_at: str

    def __repr__(self) -> str:
        """Say what it is and no more."""
        return "Token(…)"

    __str__ = __repr__

    @property
    def expires(self) -> datetime:
        """The moment from which GitHub refuses it."""
        return datetime.fromisoformat(self.expires_at)


@dataclass(frozen=True)
class Scope:
    """Whose token it is, and for what: one for the same scope does the same."""

    api_url: str
    app_id: str
    repository_id: int
    installation_id: int | None
    permissions: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """All of it as one text."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def digest(self) -> str:
        """Its name as a part of a key."""
        return hashlib.sha256(self.name.encode()).hexdigest()

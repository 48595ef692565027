"""Commits of a session that aren't on GitHub: where they're kept, for whom, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

_PREFIX = "unpublished"


class WorkState(StrEnum):
    """What has become of them.

    KEPT: for the branch's next session. TOO_LARGE, NOT_KEPT: they're in the container alone. PUBLISHED: all of them are
    on GitHub by now. NOT_TAKEN_UP: an earlier session's couldn't be had, or build on what GitHub doesn't have anymore,
    and stay where they're kept.
    """

    KEPT = "kept"
    TOO_LARGE = "too_large"
    NOT_KEPT = "not_kept"
    PUBLISHED = "published"
    NOT_TAKEN_UP = "not_taken_up"


class UnpublishedWork(BaseModel):
    """What a session's row has of them. `taken_up` counts those that an earlier session of the branch had left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: WorkState
    taken_up: int = 0
    kept_until: str | None = None


def object_key(session: Session) -> str:
    """Return where the branch's are kept. Repository and branch are the session's own: a container names neither."""
    return f"{_PREFIX}/{session.repository_id}/{session.branch}"


def kept_until(days: int, now: datetime | None = None) -> str:
    """Return the day, in UTC, through which what is stored now is kept. S3 deletes it in the course of the next."""
    return ((now or datetime.now(UTC)) + timedelta(days=days)).date().isoformat()

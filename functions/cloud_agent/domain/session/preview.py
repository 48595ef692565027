"""A session's preview: the repository's dev server, which comes up beside Claude. It may fail, and ends nothing."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class PreviewState(StrEnum):
    """STARTING → LIVE or FAILED, and from each of these back; NONE where the repository has no dev server."""

    STARTING = "starting"
    LIVE = "live"
    FAILED = "failed"
    NONE = "none"


class Preview(BaseModel):
    """How the preview is, as the agent reports it.

    `detail` is a sentence for people: what it waits for, or what is wrong; a live one's is empty if all is well. `log`
    is the last lines of what was run, where these say more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: PreviewState
    detail: str = Field(default="", max_length=500)
    log: str = Field(default="", max_length=4_000)

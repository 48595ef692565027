"""Which model answers Claude Code: the real one where a key is configured, else the scripted one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_MODEL = "claude-sonnet-5-5"  # template.yaml's default


@dataclass(frozen=True)
class ModelAccess:
    """Where the model is and what opens it."""

    base_url: str
    model: str
    scripted: bool
    api_key: str = field(repr=False)

    @property
    def local_ports(self) -> list[int]:
        """The port of this machine that the model is on, if it's on this machine."""
        url = urlsplit(self.base_url)
        return [url.port] if url.port and url.hostname in {"127.0.0.1", "localhost"} else []


def choose(scripted_url: str, environment: Mapping[str, str] = os.environ) -> ModelAccess:
    """Return the real model where ANTHROPIC_API_KEY is set, else the scripted one."""
    model = environment.get("ANTHROPIC_MODEL") or DEFAULT_MODEL
    key = environment.get("ANTHROPIC_API_KEY", "")
    if not key:
        return ModelAccess(scripted_url, model, scripted=True, api_key="scripted")
    url = (environment.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com").rstrip("/")
    return ModelAccess(url, model, scripted=False, api_key=key)

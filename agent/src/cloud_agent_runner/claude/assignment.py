"""What Claude works on for a whole session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloud_agent_runner.browser.installed import Browser
    from cloud_agent_runner.claude.tools import Tool


@dataclass(frozen=True)
class Assignment:
    """Where Claude works, as what and with what."""

    work_tree: Path
    model: str
    instructions: str
    tools: Sequence[Tool]
    repository_settings: bool = False
    browser: Browser | None = None

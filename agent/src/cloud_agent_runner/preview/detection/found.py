"""What a kind of evidence says about a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.plan import DevServerPlan

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder


@dataclass(frozen=True)
class Program:
    """A program that developers run in a folder: `dev` and `install` are commands for that folder.

    `why` names what shows it. `port` is the one it listens on whatever $PORT says, and `reloads` says whether it serves
    changed files without being restarted. `name` is what the repository calls it, if it does.
    """

    folder: Folder
    dev: str
    why: str
    install: str | None = None
    port: int | None = None
    reloads: bool = True
    name: str = ""

    @property
    def plan(self) -> DevServerPlan:
        """How it runs, as seen from the work tree."""
        return DevServerPlan(
            dev=self.folder.command(self.dev),
            install=self.folder.command(self.install) if self.install else None,
            port=self.port,
            reloads=self.reloads,
            why=self.why,
        )

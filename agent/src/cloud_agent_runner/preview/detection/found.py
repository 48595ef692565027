"""What a kind of evidence says about a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.plan import DevServerPlan

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder


@dataclass(frozen=True)
class Program:
    """A program that developers run in a folder: `dev` is the command for that folder.

    `why` names what shows it. `install` are the commands that get what it needs, as seen from the work tree. `port` is
    the one it listens on whatever $PORT says, and `reloads` says whether it serves changed files without being
    restarted. `name` is what the repository calls it, if it does.
    """

    folder: Folder
    dev: str
    why: str
    install: tuple[str, ...] = ()
    port: int | None = None
    reloads: bool = True
    name: str = ""

    @property
    def plan(self) -> DevServerPlan:
        """How it runs, as seen from the work tree."""
        return DevServerPlan(
            dev=self.folder.command(self.dev),
            install=_all_of(self.install),
            port=self.port,
            reloads=self.reloads,
            why=self.why,
        )


def _all_of(steps: tuple[str, ...]) -> str | None:
    """Return the command that takes all of these steps. A `cd` is for its own step alone."""
    if len(steps) > 1:
        steps = tuple(f"({step})" if step.startswith("cd ") else step for step in steps)
    return " && ".join(steps) or None

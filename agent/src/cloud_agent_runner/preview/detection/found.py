"""What a kind of evidence says about a folder."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.plan import DevServerPlan, Process

if TYPE_CHECKING:
    from collections.abc import Collection

    from cloud_agent_runner.preview.detection.folder import Folder

USUAL_PORT = 3000  # the shown one's $PORT in a container, and what many an API takes that gets none
_OTHER_PORT = 5173  # of the shown one where something else may want that


@dataclass(frozen=True)
class Program:
    """A program that developers run in a folder: `dev` is the command for that folder.

    `why` names what shows it. `install` are the commands that get what it needs, as seen from the work tree. `port` is
    the one it listens on whatever $PORT says, and `reloads` says whether it serves changed files without being
    restarted. `name` is what people call it, and `wanted_port` the $PORT that it gets where it runs beside another.
    `may_take_usual_port` says that port 3000 has to be left to it, or to one of several servers that it starts.
    `is_server` says that it's known for no pages of its own, as Node.js is. What runs `beside` it has nothing beside
    itself. `is_whole` says whether it starts all that developers run, and
    `starts` in which folders, if that isn't its own.
    """

    folder: Folder
    dev: str
    why: str
    install: tuple[str, ...] = ()
    port: int | None = None
    reloads: bool = True
    name: str = "web"
    wanted_port: int | None = None
    may_take_usual_port: bool = False
    beside: tuple[Program, ...] = ()
    is_server: bool = False
    is_whole: bool = False
    starts: frozenset[Folder] = frozenset()

    @property
    def plan(self) -> DevServerPlan:
        """How it runs, with what runs beside it, as seen from the work tree."""
        programs = (self, *self.beside)
        processes: list[Process] = []
        is_wanted_beside = any(program.may_take_usual_port for program in self.beside) and self.port != USUAL_PORT
        own_port = self.port or (_OTHER_PORT if is_wanted_beside else None)
        taken: set[int | None] = {own_port or USUAL_PORT}
        for program in self.beside:
            name, port = _unused(program.name, [process.name for process in processes]), program.wanted_port
            while port and port in taken:
                port += 1
            taken.add(port)
            processes.append(Process(name, program.folder.command(program.dev), port))
        return DevServerPlan(
            dev=self.folder.command(self.dev),
            install=_all_of(tuple(dict.fromkeys(step for program in programs for step in program.install))),
            port=own_port,
            leaves_usual_port=is_wanted_beside or self.may_take_usual_port,
            reloads=all(program.reloads for program in programs),
            processes=tuple(processes),
            why="; beside it ".join(program.why for program in programs),
        )


def _unused(name: str, taken: Collection[str]) -> str:
    return name if name not in taken else next(f"{name}-{n}" for n in count(2) if f"{name}-{n}" not in taken)


def _all_of(steps: tuple[str, ...]) -> str | None:
    """Return the command that takes all of these steps. A `cd` is for its own step alone."""
    if len(steps) > 1:
        steps = tuple(f"({step})" if step.startswith("cd ") else step for step in steps)
    return " && ".join(steps) or None

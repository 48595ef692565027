"""The user that everything of the repository's and of Claude's runs as, with no credential in reach.

In the image that is `workspace`. The supervisor is a user of its own there, with the three capabilities by which its
commands become `workspace`. Where it has none (local processes, a Mac) all run as one user, which walls nothing off.
"""

from __future__ import annotations

import asyncio
import enum
import os
import pwd
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from cloud_agent_runner.workspace import reaper
from cloud_agent_runner.workspace.descendants import is_alive
from cloud_agent_runner.workspace.small_program import small_program

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

_NAME = "workspace"
_NEEDED_CAPABILITIES = 1 << 5 | 1 << 6 | 1 << 7  # CAP_KILL, CAP_SETGID, CAP_SETUID of linux/capability.h
_REAPER = small_program(reaper)
# Twice its grace, and the time it takes to kill a large tree.
_REAPER_SECONDS = 8
_LOOK_SECONDS = 0.02


class Processes(enum.IntEnum):
    """How many processes and threads the user may have, of all commands, for one of this kind to start another.

    The kernel counts a user's, not a command's. So whoever has used up its own number can't keep those further down,
    which are needed more, from starting theirs. The last is below the 2,048 that Podman allows a whole container.
    """

    CLAUDES_COMMAND = 1400
    INSTALL = 1500
    DEV_SERVER = 1600
    CLAUDE_CODE = 1700  # which aborts when it can't start a thread; its hooks and MCP servers, too
    SERVICE = 1750
    OURS = 1800  # Git and the like: gone in a moment


@dataclass(frozen=True)
class WorkspaceUser:
    """`home` is the user's. `owner` is its `uid:gid`; None where commands run as the supervisor itself."""

    home: Path
    owner: str | None

    @classmethod
    def find(cls) -> Self:
        """Return the image's `workspace`, where this process may run commands as it; else this process's own user."""
        with suppress(KeyError):
            user = pwd.getpwnam(_NAME)
            if user.pw_uid != os.getuid() and _may_change_users():
                return cls(Path(user.pw_dir), f"{user.pw_uid}:{user.pw_gid}")
        return cls(Path.home(), None)

    @property
    def missing_walls(self) -> str:
        """What doesn't stand between the repository's code and the supervisor, in a sentence; empty if all does."""
        if self.owner is not None:
            return ""
        return (
            "The repository's code runs as the supervisor's own user: it can read the session's tokens and files, and "
            "nothing limits its processes, memory and disk."
        )

    def command(self, name: str, *command: str, directory: Path, processes: Processes = Processes.OURS) -> list[str]:
        """Return the arguments that run `command` in `directory` as this user, and end all that it leaves behind.

        `name` is what `end` and those that say what is used know it by: nothing for a program of ours that is gone in a
        moment. Once the user has as many processes as `processes`, it can start no more.
        """
        owner = f"{self.owner}:{processes:d}" if self.owner else "-"
        return [*_REAPER, name, owner, str(directory), *command]

    def environment(self) -> dict[str, str]:
        """Return the variables of a command: those that the supervisor passes on, with this user's home.

        The repository's own Python environment comes first in PATH, then what was installed for it alone. The
        supervisor itself never looks programs up there: the user can write both.
        """
        own = [f"{self.home}/.venv/bin", f"{self.home}/.local/bin"]
        path = os.pathsep.join([*own, os.environ.get("PATH", os.defpath)])
        environment = {**os.environ, "HOME": str(self.home), "PATH": path}
        return environment if self.owner is None else environment | {"USER": _NAME, "LOGNAME": _NAME, "TMPDIR": "/tmp"}  # noqa: S108 - the user's own

    def memory_used(self) -> dict[str, int]:
        """Return how much memory each running command uses with all it has started, in bytes, by its name."""
        used: dict[str, int] = {}
        for child, name in _commands():
            used[name] = used.get(name, 0) + _memory_below(child)
        return used

    def processes_used(self) -> dict[str, int]:
        """Return how many processes and threads each running command has with all it has started, by its name."""
        names = {child.pid: name for child, name in _commands()}
        threads, parents = reaper.process_table()
        used = dict.fromkeys(names.values(), 0)
        for pid in threads.keys() - names.keys():
            if ancestor := _nearest(names, pid, parents):
                used[names[ancestor]] += threads[pid]
        return used

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Have none of the user's programs run meanwhile, so that they can be looked at however busy they are."""
        if self.owner is None:
            yield  # nobody stops all processes of what may be a person
            return
        owner = f"{self.owner}:{Processes.OURS:d}"
        reaper.signal_user(owner, signal.SIGSTOP)
        try:
            yield
        finally:
            reaper.signal_user(owner, signal.SIGCONT)

    async def end(self, name: str, *, politely: bool = True) -> None:
        """End what is left of the commands of that name, which end with all that they have started."""
        running = [child for child, its_name in _commands() if its_name == name]
        for child in running:
            with suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGTERM if politely else signal.SIGQUIT)
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAPER_SECONDS):
                # Whoever has started them takes their exit status, so that nothing here may wait for it.
                while any(is_alive(child) for child in running):  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(_LOOK_SECONDS)


def _may_change_users() -> bool:
    if sys.platform != "linux":
        return False
    status = Path("/proc/self/status").read_text(encoding="ascii")
    ambient = next(line for line in status.splitlines() if line.startswith("CapAmb:"))
    return int(ambient.split()[1], 16) & _NEEDED_CAPABILITIES == _NEEDED_CAPABILITIES


def _commands() -> list[tuple[psutil.Process, str]]:
    """Return the reaper of each command that runs, and the command's name."""
    return [(child, name) for child in psutil.Process().children() if (name := _name_of(child))]


def _name_of(process: psutil.Process) -> str | None:
    """Return the name of the command that a reaper runs; None of any other process, or one that has ended."""
    try:
        arguments = process.cmdline()
    except psutil.Error:
        return None
    program, (name, *_) = tuple(arguments[: len(_REAPER)]), (*arguments[len(_REAPER) :], "")
    return name if program == _REAPER else None


def _memory_below(reaper: psutil.Process) -> int:
    """Return the resident memory of all that runs below a reaper, in bytes."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for process in reaper.children(recursive=True):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total


def _nearest(ancestors: Container[int], pid: int, parents: Mapping[int, int]) -> int:
    """Return which of the `ancestors` a process comes from, 0 if from none."""
    while pid and pid not in ancestors:
        pid = parents.get(pid, 0)
    return pid

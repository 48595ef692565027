"""The user that everything of the repository's and of Claude's runs as, with no credential in reach.

In the image that is `workspace`. The supervisor is a user of its own there, with the three capabilities by which its
commands become `workspace`. Where it has none (local processes, a Mac) all run as one user, which walls nothing off.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from cloud_agent_runner.workspace import reaper
from cloud_agent_runner.workspace.descendants import is_alive

_NAME = "workspace"
_NEEDED_CAPABILITIES = 1 << 5 | 1 << 6 | 1 << 7  # CAP_KILL, CAP_SETGID, CAP_SETUID of linux/capability.h
_REAPER = Path(reaper.__file__)
# Its own grace and the time it takes to stop a tree, and a little more.
_REAPER_SECONDS = 8
_LOOK_SECONDS = 0.02


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

    def command(self, name: str, *command: str, directory: Path) -> list[str]:
        """Return the arguments that run `command` in `directory` as this user, and end all that it leaves behind.

        `name` is what `end` and `memory_used` know it by: nothing for a program of ours that is gone in a moment.
        """
        owner = self.owner or "-"
        return [sys.executable, "-I", "-S", str(_REAPER), name, owner, str(directory), *command]

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
        for child in psutil.Process().children():
            if name := _name_of(child):
                used[name] = used.get(name, 0) + _memory_below(child)
        return used

    async def end(self, name: str) -> None:
        """End what is left of the commands of that name, which end with all that they have started."""
        running = [child for child in psutil.Process().children() if _name_of(child) == name]
        for child in running:
            with suppress(psutil.NoSuchProcess):
                child.terminate()
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


def _name_of(process: psutil.Process) -> str | None:
    """Return the name of the command that a reaper runs; None of any other process, or one that has ended."""
    try:
        _, _, _, program, name, *_ = process.cmdline()
    except (psutil.Error, ValueError):
        return None
    return name if program == str(_REAPER) else None


def _memory_below(reaper: psutil.Process) -> int:
    """Return the resident memory of all that runs below a reaper, in bytes."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for process in reaper.children(recursive=True):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total

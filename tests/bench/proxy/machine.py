"""Two cores, one for the proxy under test and one for everything else; and what processes cost."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
from tests.kit.processes import end

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PROXY_CORE, OTHER_CORE = 0, 1
_START_SECONDS = 30


class NotStartedError(Exception):
    """A program ended, or did not listen in time."""


def keep_off_the_proxys_core() -> None:
    """Bind this process, and what it starts from now on, to the other core.

    Raises:
        OSError: the machine has one core only.
    """
    os.sched_setaffinity(0, {OTHER_CORE})


@dataclass(frozen=True)
class Place:
    """Where a server listens."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    def listens(self) -> bool:
        """Say whether a connection is taken now."""
        with contextlib.suppress(OSError), socket.create_connection((self.address, self.port), 1):
            return True
        return False


class LoopbackNetwork:
    """Loopback addresses of this process's own, so that two runs on one machine do not meet."""

    def __init__(self) -> None:
        self._network = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
        self._hosts = iter(range(1, 255))

    def new_address(self) -> str:
        """Return an address that nobody else of this run has."""
        return f"{self._network}.{next(self._hosts)}"


@contextlib.contextmanager
def program(
    argv: Sequence[object],
    listens_at: Sequence[Place],
    folder: Path,
    *,
    core: int,
    environment: Mapping[str, str] | None = None,
) -> Iterator[psutil.Process]:
    """Run a server on one core in a folder of its own for as long as the block runs; its words go to `folder`/log.

    Raises:
        NotStartedError: it does not listen everywhere after 30 s, or has ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *map(str, argv)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not all(place.listens() for place in listens_at):
            if process.poll() is not None or time.monotonic() > deadline:
                end_of_log = log.read_text(errors="replace")[-1500:]
                raise NotStartedError(f"{argv[0]} does not listen at {', '.join(map(str, listens_at))}: {end_of_log}")
            time.sleep(0.02)
        yield psutil.Process(process.pid)
    finally:
        end(process)


def cpu_seconds(root: psutil.Process) -> float:
    """Return the user and system time that a process and its living children have used so far."""
    times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def resident_megabytes(root: psutil.Process) -> dict[str, float]:
    """Return the resident memory of a process and its children, those of one name added up, in 10^6 bytes."""
    memory: dict[str, float] = {}
    for process in (root, *root.children(recursive=True)):
        memory[process.name()] = memory.get(process.name(), 0.0) + process.memory_info().rss / 1e6
    return memory

"""Holds one container's process tree: the part Docker's PID namespace plays.

Started as `python -I -S shim.py ARGV...` with only the standard library, one for each container.

* SIGTERM is passed on to the container's main process alone, as `docker stop` does.
* The end of standard input means kill: the write end is held by the embedded AWS, so the kernel closes it
  however the embedded AWS ends, SIGKILL included.
* When the main process ends, whatever it left behind is killed: its process group, and on Linux every
  descendant, also one that moved to a session of its own.

The exit status is the main process's, with 128 + N for death by signal N as Docker reports it, or 127 when
the program cannot be started.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_CANNOT_START = 127


class _MainProcess:
    """The container's main process, in a session and process group of its own."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self._terminated = False

    def start(self, argv: list[str]) -> None:
        quiet_input = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        self.pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[quiet_input], setsid=True)
        if self._terminated:  # the signal came between the two lines above
            self.terminate()

    def terminate(self, *_: object) -> None:
        self._terminated = True
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill_group(self) -> None:
        if self.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def main(argv: list[str]) -> int:
    """Run `argv` to its end and return the container's exit status."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process = _MainProcess()
    signal.signal(signal.SIGTERM, process.terminate)
    try:
        process.start(argv)
    except OSError as error:
        sys.stderr.write(f"cannot start {argv[0]}: {error.strerror}\n")
        return _CANNOT_START
    threading.Thread(target=_kill_when_abandoned, args=(process,), daemon=True).start()
    status = _wait(process)
    process.kill_group()
    _kill_orphans()
    return status


def _kill_when_abandoned(process: _MainProcess) -> None:
    while os.read(0, 1):
        pass
    process.kill_group()


def _wait(process: _MainProcess) -> int:
    """Wait for the main process, collecting orphans on the way as PID 1 of a container does."""
    while True:
        pid, status = os.wait()
        if pid == process.pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _kill_orphans() -> None:
    """Kill what is left, generation by generation: the children of the dead become ours."""
    while children := _children():
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.wait()


def _children() -> list[int]:
    lists = Path("/proc/self/task").glob("*/children")  # empty where there is no /proc
    return [int(pid) for children in lists for pid in children.read_text().split()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Run a command, and leave none of its processes behind, whatever ends it.

`python -m tests.tools.contained COMMAND...`

The tests start whole systems, whose parts have sessions of their own, which a terminal's Ctrl-C does not reach: who
started them stops them. Whoever is killed, or interrupted a second time, doesn't get to that. On Linux such orphans
become this process's children and are ended with the rest; elsewhere only those are whose parents are still alive.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from cloud_agent_runner.workspace.descendants import adopt_orphans, end_descendants

if TYPE_CHECKING:
    from types import FrameType

GRACE_SECONDS = 30  # in which an interrupted pytest stops what its fixtures started
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_ENDED_BY_SIGNAL = 128  # plus its number: how a shell says so


class _OverdueError(Exception):
    """The command was asked to end and hasn't, or whoever asked does not want to wait."""


class Contained:
    """One command. A terminal's Ctrl-C reaches it by itself; SIGTERM and SIGHUP are passed on as that."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._pid = 0
        self._asked = False

    def run(self) -> int:
        """Return the command's exit status, once it and all that it started are gone."""
        adopt_orphans()
        for number in _SIGNALS:
            signal.signal(number, self._ask_to_end)
        self._pid = subprocess.Popen(self._command).pid
        try:
            return self._wait()
        except _OverdueError:
            return _ENDED_BY_SIGNAL + signal.SIGINT
        finally:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            end_descendants()

    def _ask_to_end(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise _OverdueError
        self._asked = True
        signal.alarm(GRACE_SECONDS)
        if number != signal.SIGINT:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGINT)

    def _wait(self) -> int:
        """Wait for the command, and for the orphans that end before it."""
        while True:
            pid, status = os.wait()
            if pid == self._pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else _ENDED_BY_SIGNAL - code


if __name__ == "__main__":
    sys.exit(Contained(sys.argv[1:]).run())

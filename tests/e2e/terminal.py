"""A terminal as a person has one: a command's standard streams, and Ctrl-C for its foreground process group."""

from __future__ import annotations

import fcntl
import os
import pty
import termios
from typing import Any


class Terminal:
    """One end belongs to the command that is started with `of_the_process`, the other to the test."""

    def __init__(self) -> None:
        self._person, self._command = pty.openpty()

    @property
    def of_the_process(self) -> dict[str, Any]:
        """Arguments of Popen: this is the process's controlling terminal."""
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self._command)
        return {**streams, "preexec_fn": _take_as_controlling_terminal}

    def opened(self) -> None:
        """Leave the command's end to the command alone, so that its end can be seen."""
        os.close(self._command)

    def press_ctrl_c(self) -> None:
        """The terminal sends SIGINT to its foreground process group."""
        os.write(self._person, b"\x03")

    def read_until_closed(self) -> str:
        """All that is shown until no process has the terminal open any more."""
        shown = b""
        while True:
            try:
                chunk = os.read(self._person, 65_536)
            except OSError:  # EIO: closed at the other end
                chunk = b""
            if not chunk:
                return shown.decode(errors="replace").replace("\r\n", "\n")
            shown += chunk

    def close(self) -> None:
        """Hang up."""
        os.close(self._person)


def _take_as_controlling_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

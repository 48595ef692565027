"""`socket_inodes.py PID...`, a small program: print the inode of each socket that these processes have open, by line.

The kernel shows a process's open files to its own user alone, so this runs as that user.
"""

# ruff: noqa: PTH115, PTH208 - importing pathlib would take longer than all the rest

from __future__ import annotations

import os

_SOCKET = "socket:["  # man 5 proc_pid_fd


def main(pids: list[str]) -> None:
    """Print the inodes; processes that have ended have none."""
    for pid in pids:
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            _print(f"/proc/{pid}/fd/{descriptor}")


def _print(descriptor: str) -> None:
    try:
        target = os.readlink(descriptor)
    except OSError:
        return
    if target.startswith(_SOCKET):
        print(target.removeprefix(_SOCKET).removesuffix("]"))  # noqa: T201 - what it is for

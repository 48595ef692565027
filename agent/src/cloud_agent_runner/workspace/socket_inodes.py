"""`python -I -S socket_inodes.py PID...`: print the inode of each socket that these processes have open, one a line.

The kernel shows a process's open files to its own user alone, so this runs as that user. It is a program of its own, of
as little of the standard library as will do, as the reaper is.
"""

# ruff: noqa: PTH115, PTH208 - importing pathlib would take longer than all the rest

from __future__ import annotations

import os
import sys
from contextlib import suppress

_SOCKET = "socket:["  # man 5 proc_pid_fd


def main(pids: list[str]) -> None:
    """Print the inodes; processes that have ended have none."""
    for pid in pids:
        with suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                    if target.startswith(_SOCKET):
                        print(target.removeprefix(_SOCKET).removesuffix("]"))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main(sys.argv[1:])

"""One command at a time runs a state directory's system: `up` while it starts it, `demo` for as long as it lives."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from cloud_agent_local.errors import InUseError, PartFailedError
from cloud_agent_local.installation import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END_SECONDS = 90.0  # what a command takes at most to stop all that it has started
_POLL_SECONDS = 0.1


@contextmanager
def held(state_dir: Path, command: str) -> Iterator[None]:
    """Hold the state directory. The lock ends with this process, however that ends.

    Raises:
        InUseError: another command holds it; names the command and its pid.
        StateDirectoryError: nothing can be written there.
    """
    with _open(state_dir) as lock:
        if not _acquire(lock):
            pid, other = _holder(lock)
            raise InUseError(
                f"{other} (pid {pid}) is running on {state_dir} already. Stop it with: cloud-agent local down"
            )
        lock.truncate(0)
        lock.write(f"{os.getpid()} {command}")
        lock.flush()
        yield


def end_holder(state_dir: Path) -> str | None:
    """Have the command that holds the state directory stop what it has started; returns its name, None without one.

    Raises:
        PartFailedError: it still runs after 90 s.
    """
    if not (state_dir / "lock").exists():
        return None
    with _open(state_dir) as lock:
        if _acquire(lock):
            return None
        pid, command = _holder(lock)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            if _acquire(lock):
                return command
            time.sleep(_POLL_SECONDS)
    raise PartFailedError(f"{command} (pid {pid}) has not ended within {END_SECONDS:.0f} s.")


def _open(state_dir: Path) -> TextIO:
    return (prepared(state_dir) / "lock").open("a+")


def _acquire(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: TextIO) -> tuple[int, str]:
    """Return pid and name of the command that holds the lock; it may not have written them down yet."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        lock.seek(0)
        pid, _, command = lock.read().partition(" ")
        if pid:
            return int(pid), command
        time.sleep(_POLL_SECONDS)
    raise InUseError("Another command is about to start the system. Try again.")

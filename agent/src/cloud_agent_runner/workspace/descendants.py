"""Every process started from here, however far removed, and that none of them is left behind.

Each command's reaper ends what the command has started. Should a reaper itself be killed (where the repository's code
is of the same user, or for want of memory), what was below it becomes ours rather than the machine's, and is found.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_SECONDS = 1.5
_KILL_ROUNDS = 3


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own. Linux only; elsewhere nothing is done."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury_orphans(dead_before: set[int]) -> set[int]:
    """Bury the adopted children that were dead at the last call, too; return those that are dead now.

    Children that somebody here waits for are buried at once by who waits: one that stays dead from one call to
    the next has nobody.
    """
    dead = {child.pid for child in psutil.Process().children() if not is_alive(child)}
    for pid in dead & dead_before:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return dead - dead_before


def end_descendants() -> None:
    """End every descendant: politely, then, after 1.5 s, for certain."""
    polite = _living()
    for process in polite:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(polite, timeout=_GRACE_SECONDS)
    for _ in range(_KILL_ROUNDS):  # a killed process may leave children that were not there before
        stubborn = _living()
        for process in stubborn:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, timeout=_GRACE_SECONDS)


def _living() -> list[psutil.Process]:
    return [process for process in psutil.Process().children(recursive=True) if is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process runs: one that has ended and waits for its parent doesn't."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

"""Every process started from here, however far removed, and that none of them is left behind.

A command of Claude's may start a server in a process group of its own and end; on Linux such an orphan becomes
ours rather than the machine's, and so can be found again.
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
    dead = {child.pid for child in psutil.Process().children() if _is_dead(child)}
    for pid in dead & dead_before:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return dead - dead_before


def end_descendants(mark: str | None = None) -> None:
    """End every descendant: politely, then, after 1.5 s, for certain.

    With `mark`, only those that were started with a variable of that name, and what these have started.
    """
    polite = _living(mark)
    for process in polite:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(polite, timeout=_GRACE_SECONDS)
    for _ in range(_KILL_ROUNDS):  # a killed process may leave children that were not there before
        stubborn = _living(mark)
        for process in stubborn:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, timeout=_GRACE_SECONDS)


def _living(mark: str | None) -> list[psutil.Process]:
    family = [process for process in psutil.Process().children(recursive=True) if not _is_dead(process)]
    if mark is None:
        return family
    marked = {process for process in family if _has_variable(process, mark)}
    return [process for process in family if process in marked or not marked.isdisjoint(_ancestors(process))]


def _has_variable(process: psutil.Process, name: str) -> bool:
    try:
        return name in process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


def _ancestors(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.parents()
    except psutil.NoSuchProcess:
        return []


def _is_dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True

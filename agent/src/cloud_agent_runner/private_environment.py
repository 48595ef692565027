"""The variables the container was started with, taken out of every other process's sight.

A process of the same user can read `/proc/<pid>/environ`, which shows the variables a program was started with whatever
it unset later. Where the repository's code has no user of its own that would be all of it; so the supervisor starts
itself anew without them and hands them to itself through a pipe.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

from cloud_agent_runner.workspace.network_environment import network_environment

PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
_PIPE = "CLOUD_AGENT_ENVIRONMENT_FD"
_PIPE_CAPACITY = 65536
_PR_SET_DUMPABLE = 4


def take_environment() -> dict[str, str]:
    """Return the variables this program was started with, and hide them.

    On return `os.environ`, which children inherit, holds nothing but `PASSED_ON` and how to get through the network;
    the variables appear in no file under /proc; and on Linux no process of the same user may trace this one or read
    its memory.
    The first call replaces the running program by a new copy of itself, with the same process id.
    """
    pipe = os.environ.pop(_PIPE, None)
    if pipe is None:
        _start_anew()
    with os.fdopen(int(pipe or 0), encoding="utf-8") as source:
        environment: dict[str, str] = json.load(source)
    for name in set(os.environ).difference(PASSED_ON):
        del os.environ[name]
    os.environ.update(network_environment(environment))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return environment


def _start_anew() -> None:
    written = json.dumps(dict(os.environ)).encode()
    if len(written) > _PIPE_CAPACITY:
        raise OSError(f"The environment is {len(written)} bytes long, more than the {_PIPE_CAPACITY} a pipe holds.")
    read_end, write_end = os.pipe()
    os.write(write_end, written)
    os.close(write_end)
    os.set_inheritable(read_end, True)
    # orig_argv has the interpreter's own options, -P and -s, without which the repository could put modules in our way.
    # PYTHONPATH is where the image keeps the supervisor itself; it is dropped once the program is loaded.
    kept = {name: os.environ[name] for name in (*PASSED_ON, "PYTHONPATH") if name in os.environ}
    os.execve(sys.executable, sys.orig_argv, {**kept, _PIPE: str(read_end)})  # noqa: S606 - itself, no shell

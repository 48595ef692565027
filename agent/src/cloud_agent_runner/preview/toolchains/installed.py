"""Which versions of programs this machine has. The image's, where the supervisor runs in one."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.toolchains.ranges import version

if TYPE_CHECKING:
    from cloud_agent_runner.preview.toolchains.ranges import Version

_TIMEOUT_SECONDS = 10


@cache
def installed_version(program: str, *arguments: str) -> Version | None:
    """Return the version that a program on the PATH prints with `arguments`; None where there is no such program.

    The PATH is the supervisor's own: the repository's code can't put a program there.
    """
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - programs of this machine, named by the supervisor
            [path, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return version(done.stdout)

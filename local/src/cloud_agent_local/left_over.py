"""Processes of a state directory that no record names: it was lost, or the part that started them was killed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

MARKER = "CLOUD_AGENT_STATE_DIR"
"""Each part has its state directory in this variable. Functions and tasks have not, as on AWS: they live below it."""


def left_over(state_dir: Path) -> list[psutil.Process]:
    """Return the parts, functions and tasks of this state directory that run, whoever started them.

    A process with a terminal is a person's own, and this command and those that started it are none of them.
    """
    own = psutil.Process()
    spared = {own.pid, *(parent.pid for parent in own.parents())}
    return [one for one in psutil.process_iter() if one.pid not in spared and _belongs_to(one, state_dir)]


def _belongs_to(process: psutil.Process, state_dir: Path) -> bool:
    with suppress(psutil.Error, OSError):
        if process.terminal() is None and process.status() != psutil.STATUS_ZOMBIE:
            environment = process.environ()
            if environment.get(MARKER) == str(state_dir):
                return True
            folders = [process.cwd(), environment.get("HOME", ""), environment.get("TMPDIR", "")]
            return any(Path(folder).is_relative_to(state_dir / "aws") for folder in folders if folder)
    return False

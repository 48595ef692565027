"""Claude Code as a program that runs as the workspace's user, whoever starts it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import claude_agent_sdk

if TYPE_CHECKING:
    from cloud_agent_runner.workspace.user import WorkspaceUser

PROGRAM = "claude code"
_BUNDLED = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"


def claude_program(user: WorkspaceUser, work_tree: Path) -> Path:
    """Return a program that runs the SDK's own Claude Code as `user` in `work_tree`, and ends all that it leaves.

    The SDK takes the path of a program, without arguments; so this is a script, in the supervisor's home.
    """
    script = Path.home() / "claude-code"
    command = shlex.join(user.command(PROGRAM, str(_BUNDLED), directory=work_tree))
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    return script

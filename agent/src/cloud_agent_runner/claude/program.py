"""Claude Code as a program that runs as the workspace's user, whoever starts it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import claude_agent_sdk

from cloud_agent_runner.claude import PROGRAM
from cloud_agent_runner.workspace.user import Processes

if TYPE_CHECKING:
    from cloud_agent_runner.workspace.user import WorkspaceUser

_BUNDLED = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"


def claude_program(user: WorkspaceUser, work_tree: Path) -> Path:
    """Return a program that runs the SDK's own Claude Code as `user` in `work_tree`, and ends all that it leaves.

    The SDK takes the path of a program, without arguments; so this is a script, in the supervisor's home.
    """
    script = Path.home() / "claude-code"
    argv = user.command(PROGRAM, str(_BUNDLED), directory=work_tree, processes=Processes.CLAUDE_CODE)
    script.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    return script


def claude_shell() -> Path:
    """Return a shell for Claude's commands, whose processes can't take the last ones that Claude Code needs itself.

    Claude Code knows the kind of a shell by the name in its path, and gives it no arguments of ours.
    """
    script = Path.home() / "bash"
    script.write_text(f'#!/bin/bash\nulimit -u {Processes.CLAUDES_COMMAND:d}\nexec /bin/bash "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script

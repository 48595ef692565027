"""What a command line serves that the repository has somewhere: in a Procfile, devcontainer.json or Makefile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install, package_scripts, shell
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.detection.running import MANAGERS
from cloud_agent_runner.preview.detection.servers import NOT_HERE, SERVERS, listening, server_of

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.shell import Command

_SERVING_SCRIPTS = ("dev", "start", "serve", "develop", "watch", "docs:dev")


def runs_here(line: str) -> bool:
    """Return whether nothing in a command line needs what no session has: containers, root, other machines."""
    return all(command.program not in NOT_HERE for command in shell.commands(line))


def server_in(folder: Folder, line: str, why: str, *, trusts_modules: bool = False) -> Program | None:
    """Return the server that a command line starts in a folder, made to follow $HOST and $PORT where that's known.

    None where it comes to an end, can't be run here, or where nobody knows whether it serves anything. With
    `trusts_modules`, a Python module of the folder's own serves.
    """
    line = shell.without_environments(line.strip())
    commands = shell.commands(line)
    if not commands or not runs_here(line):
        return None
    where, script = _script(folder, commands)
    if script and (program := package_scripts.script(where, script)):
        return replace(program, why=f"{why}, which runs {program.why}")
    for command in reversed(commands):
        server = server_of(command)
        if trusts_modules and not server and _is_module(folder, command):
            server = SERVERS["python"]
        if server:
            flags, port = listening(command, server)
            text = f"{line} {flags}".rstrip()
            installed = _install(folder, where, _folder_of_program(where, command))
            return Program(folder, text, why, installed, port, reloads=server.reloads(command))
        if command.program in MANAGERS and any(word.startswith(_SERVING_SCRIPTS) for word in command.arguments):
            return Program(folder, line, why, _install(folder, where))
    return None


def _is_module(folder: Folder, command: Command) -> bool:
    """Return whether `python -m` runs a module of the folder's, or of its `src`."""
    path = command.program.replace(".", "/")
    return folder.has(*(f"{place}{path}{end}" for place in ("", "src/") for end in (".py", "/__main__.py")))


def _folder_of_program(folder: Folder, command: Command) -> Folder:
    """Return where the Python program stands that a command runs: what it needs may be listed beside it."""
    file = next((word for word in command.words[1:] if word.endswith(".py")), "")
    return folder.sub(str(PurePosixPath(file).parent))


def _script(folder: Folder, commands: list[Command]) -> tuple[Folder, str | None]:
    """Return the folder that a line goes to, and the script of its package.json that is all that it runs there."""
    if commands[0].program == "cd" and commands[0].arguments:
        folder, commands = folder.sub(commands[0].arguments[0]), commands[1:]
    if len(commands) != 1 or commands[0].program not in MANAGERS or commands[0].variables:
        return folder, None
    match commands[0].words[1:]:
        case ("run" | "run-script", name) | (name,) if not name.startswith("-"):
            return folder, name
        case _:
            return folder, None


def _install(*folders: Folder) -> tuple[str, ...]:
    """Return what installs the folder that a line is for, and the one it goes to."""
    return tuple(dict.fromkeys(step for folder in folders for step in install.everything(folder)))

"""Evidence: the scripts of package.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import shell
from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.detection.servers import listening, server_of
from cloud_agent_runner.preview.package_managers import node_packages

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

# Those that follow edits come first.
_SCRIPTS = ("dev", "start:dev", "develop", "serve", "server", "docs:dev", "start")


def find(folder: Folder) -> Program | None:
    """Return what runs the first of the usual scripts."""
    return next((program for name in _SCRIPTS if (program := script(folder, name))), None)


def script(folder: Folder, name: str) -> Program | None:
    """Return what runs a script; None where there is no such script."""
    line = table(folder.json("package.json"), "scripts").get(name)
    if not isinstance(line, str):
        return None
    packages = node_packages(folder.work_tree, str(folder.path))
    flags, port, reloads = _serving(line)
    return Program(
        folder,
        packages.run(name, flags),
        why=f"the `{name}` script in {folder.named('package.json')}",
        install=packages.install,
        port=port,
        reloads=reloads,
    )


def _serving(line: str) -> tuple[str, int | None, bool]:
    """Return the flags that make a script follow $HOST and $PORT, else its own port, and whether it follows edits.

    Of one that runs several commands nothing is known: what a flag is added to is the last of them, whichever that is.
    """
    commands = shell.commands(line)
    if len(commands) != 1 or not commands[0].is_open or not (server := server_of(commands[0])):
        return "", None, True
    return *listening(commands[0], server), server.reloads(commands[0])

"""Evidence: the scripts of package.json."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.package_managers import node_packages

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

_HOST_AND_PORT = {
    "vite": '--host "$HOST" --port "$PORT" --strictPort',
    "next": '--hostname "$HOST" --port "$PORT"',
    "nuxt": '--host "$HOST" --port "$PORT"',
    "nuxi": '--host "$HOST" --port "$PORT"',
    "astro": '--host "$HOST" --port "$PORT"',
    "ng": '--host "$HOST" --port "$PORT"',
}
# Those that follow edits come first.
_SCRIPTS = ("dev", "start:dev", "develop", "serve", "server", "docs:dev", "start")
_NOT_SERVING = {"build", "preview"}
_SEVERAL = re.compile(r"&&|\|\||[;|&]")


def find(folder: Folder) -> Program | None:
    """Return what runs the first of the usual scripts."""
    scripts = folder.json("package.json").get("scripts")
    if not isinstance(scripts, dict):
        return None
    name = next((name for name in _SCRIPTS if isinstance(scripts.get(name), str)), None)
    if name is None:
        return None
    packages = node_packages(folder.work_tree, str(folder.path))
    tool, arguments = _tool(scripts[name])
    flags = "" if _NOT_SERVING & set(arguments) else _HOST_AND_PORT.get(tool, "")
    return Program(
        folder,
        packages.run(name, flags),
        why=f"the `{name}` script in {folder.named('package.json')}",
        install=packages.install,
        reloads=not _runs_unwatched(tool, arguments),
    )


def _tool(script: str) -> tuple[str, list[str]]:
    """Return the program that a script runs, and its arguments; nothing where it runs several.

    Others find out by themselves: what a flag is added to is the last of them, whichever that is.
    """
    if _SEVERAL.search(script):
        return "", []
    words = [word for word in script.split() if word not in {"cross-env", "npx", "bunx"}]
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words.pop(0)
    return (words[0].rpartition("/")[2], words[1:]) if words else ("", [])


def _runs_unwatched(tool: str, arguments: list[str]) -> bool:
    """Whether a program is known to go on with the files that it was started with."""
    return tool in {"node", "nest", "ts-node", "tsx", "bun"} and not {"--watch", "watch", "-w", "--hot"} & set(
        arguments
    )

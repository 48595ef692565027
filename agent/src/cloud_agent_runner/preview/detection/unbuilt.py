"""Scripts of package.json that run what has to be built first, as on the server that it's deployed to."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.folder import table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.running import Running

_BUILT = frozenset({"dist", "build", "out", "lib", "output", ".next", ".output", ".build"})
# Those that serve nothing but what was built, with the verb that says so.
_OF_BUILDS = {"next": "start", "remix-serve": "", "react-router-serve": ""}


def is_of_build(started: Iterable[Running], folder: Folder, name: str) -> bool:
    """Return whether a script needs what the `build` script makes, and doesn't see to it itself."""
    scripts = table(folder.json("package.json"), "scripts")
    return "build" in scripts and f"pre{name}" not in scripts and any(map(_needs_build, started))


def is_never_built(one: Running, name: str) -> bool:
    """Return whether nothing makes what a script serves: as in a root that has Next.js for its examples' sake."""
    scripts = table(one.folder.json("package.json"), "scripts")
    return _serves_builds_alone(one) and not scripts.keys() & {"build", f"pre{name}"}


def _serves_builds_alone(one: Running) -> bool:
    verb = _OF_BUILDS.get(one.command.program)
    return verb is not None and verb in ("", *one.command.arguments[:1])


def _needs_build(one: Running) -> bool:
    if _serves_builds_alone(one):
        return True
    words = list(one.command.arguments)
    if words[:1] == ["."]:
        words = [str(one.folder.json("package.json").get("main", ""))]
    return any(_is_built(word.removeprefix("./"), one.folder) for word in words)


def _is_built(path: str, folder: Folder) -> bool:
    """Return whether a path is of what builds make: what Git ignores, so that it's said alike before and after."""
    top = path.partition("/")[0]
    ignored = {line.strip().strip("/") for line in folder.text(".gitignore").splitlines()}
    return top in _BUILT and (top in ignored or not any(folder.files((glob.escape(top),))))

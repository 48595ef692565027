"""Evidence: the files that a framework makes in each of its projects, other than those of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.found import Program

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder


def rails(folder: Folder) -> Program | None:
    """Return Rails' own server."""
    if not folder.has("bin/rails"):
        return None
    dev = 'bin/rails server --binding "$HOST" --port "$PORT"'
    return Program(folder, dev, why=f"Rails: {folder.named('bin/rails')}", install=(folder.command("bundle install"),))


def go(folder: Folder) -> Program | None:
    """Return the program that a Go module is in its own folder; Go has no dev server that follows edits."""
    if not (folder.has("go.mod") and folder.has("main.go")):
        return None
    why = f"Go: {folder.named('go.mod')} and main.go"
    return Program(folder, "go run .", why, install=(folder.command("go mod download"),), reloads=False)

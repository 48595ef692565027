"""Evidence: an index.html, where nothing else says how the pages are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.found import Program

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

_FOLDERS = ("public", "docs", "www", "site", "src")
# Beside these, an index.html in the sources is a template that something else fills.
_SOURCES = frozenset({"src", "public"})
_BUILDERS = ("Trunk.toml", "package.json")


def find(folder: Folder) -> Program | None:
    """Return what serves the files as they are, of the folder itself or of one that usually has the pages."""
    if folder.has("Trunk.toml"):
        return None
    for place in (folder, *map(folder.sub, _FOLDERS)):
        if place.has("index.html") and not (place.path.name in _SOURCES and folder.has(*_BUILDERS)):
            return Program(place, 'exec python3 -m http.server --bind "$HOST" "$PORT"', why=place.named("index.html"))
    return None

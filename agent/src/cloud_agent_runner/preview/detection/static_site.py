"""Evidence: an index.html, where nothing else says how the pages are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.found import Program

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder


def find(folder: Folder) -> Program | None:
    """Return what serves a folder's files as they are."""
    if not folder.has("index.html"):
        return None
    return Program(folder, 'exec python3 -m http.server --bind "$HOST" "$PORT"', why=folder.named("index.html"))

"""A front end in a folder beside the server that it belongs to, which is in the work tree's root."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.beside import expected_port, placed
from cloud_agent_runner.preview.detection.workspaces import FRONT_ENDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.found import Program

_SERVERS = re.compile(
    r"\b(?:manage runserver|uvicorn|flask|quart|litestar|sanic|rails server|artisan serve|go run|spring-boot:run|"
    r"bootRun)\b"
)
# What only a folder has that has pages of its own, and not what a server's pages load.
_PAGES = (
    *("index.html", "public/index.html", "src/index.html", "src/app.html"),
    *(f"{name}.config.{kind}" for name in ("next", "nuxt", "astro") for kind in ("js", "mjs", "ts")),
    *("react-router.config.ts", "app/root.tsx"),
)  # fmt: skip
_TEMPLATES = ("templates/*", "*/templates/*", "views/*", "app/views/*/*", "resources/views/*")


def with_page(server: Program, find: Callable[[Folder], Program | None]) -> Program:
    """Return the front end in a folder of that name with the root's server beside it; else the server itself.

    A server that renders pages by itself is shown, unless the front end says where it expects one.
    """
    root = server.folder
    is_server = server.is_server or _SERVERS.search(server.dev)
    if not is_server or server.is_whole or not server.starts <= {root} or root.has(*_PAGES):
        return server
    renders = any(root.files(_TEMPLATES))
    for folder in root.folders(FRONT_ENDS, len(FRONT_ENDS)):
        if not (folder.has("package.json") and folder.has(*_PAGES)) or (renders and not expected_port(folder)):
            continue
        if page := find(folder):
            return replace(page, beside=(*page.beside, placed(replace(server, name="server", beside=()), folder)))
    return server

"""What runs beside the program that is shown: the API behind its pages, and what builds its scripts and styles."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import package_scripts, workspaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.found import Program

_API_FOLDERS = ("backend", "server", "api", "apps/api", "apps/server", "apps/backend")
_APIS = frozenset({"backend", "server", "api"})
# Where a front end says at which port it expects its API.
_CONFIGURATIONS = (
    *("vite.config.ts", "vite.config.js", "vite.config.mjs", "astro.config.mjs", "vue.config.js", "nuxt.config.ts"),
    *("next.config.js", "next.config.mjs", "next.config.ts", "proxy.conf.json", "src/proxy.conf.json"),
    *("src/setupProxy.js", "package.json", ".env.development", ".env", ".env.example"),
)  # fmt: skip
_LOCAL = re.compile(r"(?:https?|ws)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d{4,5})\b")
_PAGES = frozenset({"3000", "4173", "5173"})  # the usual ports of front ends themselves
_USUAL_PORTS = {"flask": 5000}
_USUAL_PORT = 8000


def with_api(shown: Program, root: Folder, find: Callable[[Folder], Program | None]) -> Program:
    """Return a front end with the API that is in a folder of that name, unless it starts one itself.

    What a monorepo's root runs in its own folder may be anything, and so is left alone.
    """
    packages = workspaces.members(root)
    page, *others = shown.starts or {shown.folder}
    is_page = page.has("package.json") and page.path.name not in _APIS and not (packages and page == root)
    if shown.is_whole or others or not is_page:
        return shown
    apis = [package for package in packages if package.path.name in _APIS]
    for folder in (*root.folders(_API_FOLDERS, len(_API_FOLDERS)), *apis):
        if folder != page and (api := find(folder)):
            api = replace(api, name=folder.path.name, wanted_port=_port(page, api), beside=())
            return replace(shown, beside=(*shown.beside, api))
    return shown


def with_watcher(shown: Program, *, of_server: bool) -> Program:
    """Return a server with what builds its pages' scripts and styles, where a script of its folder watches for that.

    A server that is such a script itself has nothing to serve before they have been built once.
    """
    watcher = package_scripts.watcher(shown.folder, of_server=of_server)
    if not watcher:
        return shown
    build = None if of_server else package_scripts.script_command(shown.folder, "build")
    return replace(shown, dev=f"{build}; {shown.dev}" if build else shown.dev, beside=(*shown.beside, watcher))


def _port(page: Folder, api: Program) -> int | None:
    """Return the $PORT of an API: the one that the page's configuration expects it at, else the framework's usual one.

    None where it may well listen at another one by itself.
    """
    expected = _expected(page.text(name) for name in _CONFIGURATIONS)
    if expected or "$PORT" not in api.dev:
        return expected
    return next((port for name, port in _USUAL_PORTS.items() if f" {name} " in api.dev), _USUAL_PORT)


def _expected(texts: Iterable[str]) -> int | None:
    ports = (int(port) for text in texts for port in _LOCAL.findall(text) if port not in _PAGES)
    return next((port for port in ports if port <= 65535), None)  # noqa: PLR2004 - of TCP

"""What runs beside the program that is shown: the API behind its pages, and what builds its scripts and styles."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install, package_scripts, python_apps, workspaces
from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import USUAL_PORT, Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_runner.preview.detection.folder import Folder

_API_FOLDERS = ("backend", "server", "api", "apps/api", "apps/server", "apps/backend", "*")
_FRONT_END_FOLDERS = ("frontend", "client", "assets", "web", "static_src", "vite")
_FOLDERS_LIMIT = 200
_HAS_VITE_RUBY = re.compile(r"""^[ \t]*gem ["']vite_(?:ruby|rails)""", re.MULTILINE)
# Where a front end says at which port it expects its API.
_CONFIGURATIONS = (
    *("vite.config.ts", "vite.config.js", "vite.config.mjs", "astro.config.mjs", "vue.config.js", "nuxt.config.ts"),
    *("next.config.js", "next.config.mjs", "next.config.ts", "proxy.conf.json", "src/proxy.conf.json"),
    *("src/setupProxy.js", "package.json", ".env.development", ".env", ".env.example"),
)  # fmt: skip
_LOCAL = re.compile(r"(?:https?|ws)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d{4,5})\b")
_PAGES = frozenset({4173, 5173})  # the usual ports of front ends themselves
# Whose own is 3000, which then is no other's.
_ON_USUAL_PORT = re.compile(
    r"\b(?:blitz|craco|docusaurus|next|nuxi|nuxt|react-app-rewired|react-scripts|rsbuild|solid-start|vinxi|3000)\b"
)
_SAYS_USUAL_PORT = re.compile(r"""\bport\b["']?\s*[:=]\s*3000\b""", re.IGNORECASE)
_USUAL_PORTS = {"flask": 5000}
_USUAL_PORT = 8000


def with_api(shown: Program, root: Folder, find: Callable[[Folder], Program | None]) -> Program:
    """Return a front end with the API that is in a folder of that name, unless it starts one itself.

    What a monorepo's root runs in its own folder may be anything, and so is left alone.
    """
    packages = workspaces.members(root)
    page, *others = shown.starts or {shown.folder}
    is_page = page.has("package.json", "project.json") or page.path.name in workspaces.FRONT_ENDS
    if workspaces.is_api(page) or (packages and page == root):
        return shown
    if shown.is_whole or others or not is_page:
        return shown
    for folder in (*root.folders(_API_FOLDERS, _FOLDERS_LIMIT), *packages):
        if workspaces.is_api(folder) and folder != page and (api := find(folder)):
            api = placed(replace(api, name=folder.path.name, beside=()), page)
            return replace(shown, beside=(*shown.beside, api))
    return shown


def with_watcher(shown: Program) -> Program:
    """Return a script that serves what another one builds anew, with that one beside it, once all has been built."""
    watcher = package_scripts.watcher(shown.folder, of_server=False)
    if not watcher:
        return shown
    build = package_scripts.script_command(shown.folder, "build")
    return replace(shown, dev=f"{build}; {shown.dev}" if build else shown.dev, beside=(watcher,))


def with_front_end(shown: Program) -> Program:
    """Return a server in another language than its pages' scripts and styles, with what builds these."""
    if _HAS_VITE_RUBY.search(shown.folder.text("Gemfile")):
        return _with_vite_ruby(shown)
    if shown.folder.has("manage.py") and "django-vite" in python_apps.dependencies(shown.folder):
        return _with_django_vite(shown)
    watcher = package_scripts.watcher(shown.folder, of_server=True)
    vite = package_scripts.vite_build(shown.folder)
    beside = (watcher, replace(vite, dev=f"{vite.dev} --watch")) if vite else (watcher,)
    return replace(_once_built(shown, vite), beside=tuple(program for program in beside if program))


def _with_vite_ruby(shown: Program) -> Program:
    """Return an application that hands on to Vite what is Vite's, with that beside it ("Vite Ruby: skipProxy")."""
    folder = shown.folder
    proxy = "VITE_RUBY_SKIP_PROXY=false " if '"skipProxy"' in folder.text("config/vite.json") else ""
    dev = proxy + ("bin/vite dev" if folder.has("bin/vite") else "bundle exec vite dev")
    why = f"Vite Ruby: {folder.named('Gemfile')}"
    return replace(
        shown, dev=proxy + shown.dev, beside=(Program(folder, dev, why, (install.node(folder),), name="vite"),)
    )


def _with_django_vite(shown: Program) -> Program:
    """Return Django, which reads only when it starts what was built, and so is restarted when files have changed.

    It's asked not to have pages load scripts from Vite's port, by the variable that settings usually read that from.
    """
    folders = (shown.folder, *shown.folder.folders(_FRONT_END_FOLDERS, len(_FRONT_END_FOLDERS)))
    vite = next(filter(None, map(package_scripts.vite_build, folders)), None)
    if not vite:
        return shown
    django = replace(shown, dev=f"DJANGO_VITE_DEV_MODE=False {shown.dev}", reloads=False)
    return replace(
        _once_built(django, vite), why=f"{shown.why}; before it {vite.why}", install=(*shown.install, *vite.install)
    )


def _once_built(shown: Program, vite: Program | None) -> Program:
    """Return a server that starts once Vite has built, since its pages may show an error before."""
    if not vite:
        return shown
    there = PurePosixPath(os.path.relpath(vite.folder.path, shown.folder.path))
    build = f"(cd {shlex.quote(str(there))} && {vite.dev})" if there.parts else vite.dev
    return replace(shown, dev=f"{build}; {shown.dev}")


def placed(api: Program, page: Folder) -> Program:
    """Return an API with its $PORT: where the page's configuration expects it, else the framework's usual one.

    None where it may well listen at another one by itself. That is 3000 as likely as not, unless the page is there.
    """
    is_pages, expected = _is_on_usual_port(page), expected_port(page)
    if not expected and "$PORT" in api.dev:
        expected = next((port for name, port in _USUAL_PORTS.items() if f" {name} " in api.dev), _USUAL_PORT)
    may_take = not is_pages and (expected or api.port or USUAL_PORT) == USUAL_PORT
    return replace(api, wanted_port=expected, may_take_usual_port=may_take)


def _is_on_usual_port(page: Folder) -> bool:
    scripts = table(page.json("package.json"), "scripts").values()
    return any(_ON_USUAL_PORT.search(str(line)) for line in scripts) or any(
        _SAYS_USUAL_PORT.search(page.text(name)) for name in _CONFIGURATIONS
    )


def expected_port(page: Folder) -> int | None:
    """Return the port at which a front end's configuration expects its API; None where it says nothing of one."""
    pages = _PAGES | ({USUAL_PORT} if _is_on_usual_port(page) else set())
    ports = (int(port) for name in _CONFIGURATIONS for port in _LOCAL.findall(page.text(name)))
    return next((port for port in ports if port <= 65535 and port not in pages), None)  # noqa: PLR2004 - of TCP

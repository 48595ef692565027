"""Evidence: the configuration of a program that makes pages from texts, or that shows the parts of pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install, package_scripts
from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.detection.servers import HUGO, SERVERS
from cloud_agent_runner.preview.package_managers import node_packages

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

_ENDINGS = ("toml", "yaml", "yml", "json")
_HUGO = tuple(f"{place}hugo.{ending}" for place in ("", "config/_default/") for ending in _ENDINGS)
# Which other programs have as well.
_OLD_HUGO = ("config.toml", "config.yaml", "config.yml")
_HAS_BASE_URL = re.compile(r"^[\"']?baseurl[\"']?\s*[:=]", re.MULTILINE | re.IGNORECASE)
_ELEVENTY = (*(f"eleventy.config.{ending}" for ending in ("js", "mjs", "cjs", "ts")), ".eleventy.js")
_PAGES_OF_JEKYLL = ("index.md", "index.html", "_layouts/*.html", "_posts/*", "_includes/*.html")
# What GitHub Pages builds with where a repository has no Gemfile ("GitHub Docs: About GitHub Pages and Jekyll").
_GEMFILE = '"$HOME/.github-pages/Gemfile"'
_MAKE_GEMFILE = (
    f"mkdir -p \"$HOME/.github-pages\" && echo \"source 'https://rubygems.org'; gem 'github-pages'; gem 'webrick'\" "
    f"> {_GEMFILE} && BUNDLE_GEMFILE={_GEMFILE} bundle install"
)


def find(folder: Folder) -> Program | None:
    """Return the generator's own server."""
    return next(filter(None, (generator(folder) for generator in (_hugo, _eleventy, _jekyll))), None)


def storybook(folder: Folder) -> Program | None:
    """Return the Storybook of a library, which is all that there is to see of it."""
    return package_scripts.script(folder, "storybook")


def vite(folder: Folder) -> Program | None:
    """Return Vite for an index.html whose package.json has no script for it."""
    package = folder.json("package.json")
    if not folder.has("index.html") or "vite" not in table(package, "dependencies") | table(package, "devDependencies"):
        return None
    dev = f"{node_packages(folder.work_tree, str(folder.path)).execute(('vite',))} {SERVERS['vite'].flags}"
    why = f"Vite: {folder.named('package.json')} and index.html"
    return Program(folder, dev, why, (install.node(folder),))


def _hugo(folder: Folder) -> Program | None:
    """Return Hugo, by whose links visitors stay where they are."""
    name = folder.first(*_HUGO)
    old = folder.first(*_OLD_HUGO)
    if name is None and old and _HAS_BASE_URL.search(folder.text(old)) and any(folder.files(("content", "archetypes"))):
        name = old
    if name is None:
        return None
    return Program(folder, f"hugo server {HUGO}", f"Hugo: {folder.named(name)}", install.everything(folder))


def _eleventy(folder: Folder) -> Program | None:
    name = folder.first(*_ELEVENTY)
    if name is None or not folder.has("package.json"):
        return None
    packages = node_packages(folder.work_tree, str(folder.path))
    dev = f'{packages.execute(("eleventy", "--serve"))} --port "$PORT"'
    return Program(folder, dev, f"Eleventy: {folder.named(name)}", (install.node(folder),))


def _jekyll(folder: Folder) -> Program | None:
    """Return Jekyll's own server, be it with what GitHub Pages has for sites that say nothing of their packages."""
    if not folder.has("_config.yml"):
        return None
    gemfile = folder.text("Gemfile")
    dev, why = 'bundle exec jekyll serve --host "$HOST" --port "$PORT"', f"Jekyll: {folder.named('_config.yml')}"
    if re.search(r"jekyll|github-pages", gemfile):
        return Program(folder, dev, why, (folder.command("bundle install"),))
    if gemfile or folder.has("package.json", "_toc.yml") or not any(folder.files(_PAGES_OF_JEKYLL)):
        return None
    return Program(folder, f"BUNDLE_GEMFILE={_GEMFILE} {dev}", why, (_MAKE_GEMFILE,))

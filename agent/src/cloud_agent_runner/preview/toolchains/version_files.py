"""Which versions of its toolchains a repository asks for, in the files that its own developers have for that."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.preview.toolchains.ranges import Version, VersionRange
from cloud_agent_runner.repository.file import has_repository_file, read_repository_object, read_repository_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Files that hold one version and nothing else, and the tool that it's of.
_VERSION_FILES = {
    ".node-version": "node",
    ".nvmrc": "node",
    ".python-version": "python",
    ".ruby-version": "ruby",
    ".go-version": "go",
    ".java-version": "java",
    ".bun-version": "bun",
    ".deno-version": "deno",
    ".dvmrc": "deno",
    "runtime.txt": "python",
    "rust-toolchain": "rust",
}
MISE_FILES = ("mise.toml", ".mise.toml", ".config/mise.toml", ".mise/config.toml", "mise/config.toml")
# What a version or a range consists of; all else is somebody's attempt at something.
_WRITTEN = re.compile(r"[\w.+*^~<>=!|, /-]{1,200}")
_OTHER_NAMES = {"nodejs": "node", "golang": "go", "gohugo": "hugo", "hugo-extended": "hugo"}
# What only version managers' files name, and what commands of the repository call.
RUN_BY_NAME = frozenset(
    {"air", "buf", "hugo", "just", "mdbook", "mkcert", "process-compose", "sqlc", "task", "typst", "watchexec"}
)
_TOOLS = frozenset(_VERSION_FILES.values()) | RUN_BY_NAME
# By which later releases of these replace earlier ones without a change: those of its major, those of its minor.
_COMPATIBLE = {"node": "^", "python": "~"}
# Build tools that hash by what Node.js lacks from 17 on ("Node.js 17: OpenSSL 3.0"), and the first major without that.
_BUILD_TOOLS = {"webpack": 5, "react-scripts": 5, "@vue/cli-service": 5, "@angular/cli": 13, "nuxt": 3}
_OLD_NODE = "<17"
# The Pythons for the releases of Django before these ("Django: What Python version can I use with Django?").
_DJANGO = (((2, 2), "<3.9"), ((3, 2), "<3.10"), ((4, 1), "<3.11"), ((4, 2), "<3.12"))
_NEWEST_DJANGO = re.compile(r"^django(?![\w.-])[^#\n]*?(==|~=|<)\s*(\d+)(?:\.(\d+))?", re.MULTILINE | re.IGNORECASE)
# Node.js names its long-term releases ("Node.js: Release schedule"); a name stands in .nvmrc as lts/jod.
_LONG_TERM = {"gallium": "16", "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}


_ANY = frozenset({"*", "latest", "lts", "lts/*", "node", "stable", "current", "system"})


@dataclass(frozen=True)
class Request:
    """A version that a file of the repository asks for.

    `text` is what is written there; `range` is None if that's a word. `is_pin` says whether version managers read
    that file: it names what to install, others what they can do with.
    """

    tool: str
    text: str
    is_pin: bool
    range: VersionRange | None

    @property
    def is_any(self) -> bool:
        """Whether every version will do."""
        return self.text in _ANY

    def accepts(self, version: Version) -> bool:
        """Return whether an installed version will do: for 24.1.0 in a version file, so does a later 24."""
        if self.is_any:
            return True
        if self.range is None:
            return False
        compatible = VersionRange.parse(f"{_COMPATIBLE.get(self.tool, '')}{self.text}") if self.is_pin else None
        return version in (compatible or self.range)


def requests(work_tree: Path, folder: str = ".") -> dict[str, Request]:
    """Return what the project in `folder` of the work tree asks for, by tool, in mise's own names.

    For each tool, the nearest folder on the way up to the work tree counts that says something about it. There, the
    files of version managers come first, then the languages' own manifests.
    """
    found: dict[str, Request] = {}
    for level in (PurePath(folder), *PurePath(folder).parents):
        for request in _in_folder(work_tree, level):
            found.setdefault(request.tool, request)
    return found


def _in_folder(work_tree: Path, folder: PurePath) -> Iterator[Request]:
    for names, read in _READERS:
        is_pin = read in (_mise, _tool_versions, _version_file, _rust_toolchain)
        for name in names:
            path = str(folder / name)
            if has_repository_file(work_tree, path):
                for tool, text in read(work_tree, path):
                    written = _as_range(tool, text) if tool in _TOOLS and isinstance(text, str) else ""
                    if _WRITTEN.fullmatch(written):
                        yield Request(tool, written, is_pin, VersionRange.parse(written))


def _as_range(tool: str, text: str) -> str:
    """Return a version or range in the common dialect."""
    text = text.strip()
    if tool == "node":
        return _LONG_TERM.get(text.removeprefix("lts/").lower(), text)
    # python-3.12.1 (Heroku), ruby-3.3.0 (RVM), go1.22, extended_0.140.0 (Hugo, asdf)
    return re.sub(rf"^(?:{tool}-?|extended_)(?=\d)", "", text)


def _version_file(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    lines = (line.partition("#")[0].strip() for line in read_repository_text(work_tree, path).splitlines())
    text = next((line for line in lines if line), "")
    if not text.startswith("["):  # rust-toolchain may be TOML
        yield _VERSION_FILES[PurePath(path).name], text


def _tool_versions(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    for line in read_repository_text(work_tree, path).splitlines():
        name, *versions = line.partition("#")[0].split()[:2] or ("",)
        yield _OTHER_NAMES.get(name, name), "".join(versions)


def _mise(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    for name, value in _table(_toml(work_tree, path), "tools").items():
        one = value[0] if isinstance(value, list) and value else value
        yield _OTHER_NAMES.get(name, name), one.get("version") if isinstance(one, dict) else one


def _package_json(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    package = read_repository_object(work_tree, path)
    runtime = _table(package, "devEngines").get("runtime")
    for one in runtime if isinstance(runtime, list) else [runtime]:
        if isinstance(one, dict):
            yield str(one.get("name")), one.get("version")
    yield "node", _table(package, "volta").get("node")
    yield "node", _table(package, "engines").get("node")
    dependencies = _table(package, "dependencies") | _table(package, "devDependencies")
    if any(_major(dependencies.get(name)) < first for name, first in _BUILD_TOOLS.items()):
        yield "node", _OLD_NODE


def _major(wanted: object) -> float:
    """Return the major of a dependency's version; infinity where none is named."""
    found = re.match(r"[\^~>=v ]*(\d+)", wanted) if isinstance(wanted, str) else None
    return int(found[1]) if found else math.inf


def _pyproject(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    project = _toml(work_tree, path)
    yield "python", _table(project, "project").get("requires-python")
    yield "python", _table(project, "tool", "poetry", "dependencies").get("python")


def _pipfile(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    requires = _table(_toml(work_tree, path), "requires")
    yield "python", requires.get("python_full_version", requires.get("python_version"))


def _requirements(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the Pythons that a release of Django runs with: it installs with later ones, and then can't be imported."""
    if found := _NEWEST_DJANGO.search(read_repository_text(work_tree, path)):
        newest, is_below = (int(found[2]), int(found[3] or 0)), found[1] == "<"
        pythons = (text for release, text in _DJANGO if newest < release or (is_below and newest == release))
        yield "python", next(pythons, None)


def _go_mod(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    text = read_repository_text(work_tree, path)
    for pattern in (r"^toolchain\s+go(\S+)", r"^go\s+(\d+\.\d+)"):
        # What these lines name is the oldest that will do.
        yield "go", ">=" + found[1] if (found := re.search(pattern, text, re.MULTILINE)) else None


def _gemfile(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    arguments = re.search(r"^[ \t]*ruby[ (]+(.*)$", read_repository_text(work_tree, path), re.MULTILINE)
    versions = re.findall(r"""["']([~<>=! ]*\d[\d.]*)["']""", arguments[1]) if arguments else []
    yield "ruby", " ".join(versions)


def _netlify(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    environment = _table(_toml(work_tree, path), "build", "environment")
    yield "hugo", environment.get("HUGO_VERSION")
    yield "node", environment.get("NODE_VERSION")


def _rust_toolchain(work_tree: Path, path: str) -> Iterator[tuple[str, Any]]:
    yield "rust", _table(_toml(work_tree, path), "toolchain").get("channel")


def _toml(work_tree: Path, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(read_repository_text(work_tree, path))
    except (ValueError, RecursionError):
        return {}


def _table(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        value = table.get(key)
        table = value if isinstance(value, dict) else {}
    return table


_READERS: tuple[tuple[tuple[str, ...], Callable[[Path, str], Iterator[tuple[str, Any]]]], ...] = (
    (MISE_FILES, _mise),
    ((".tool-versions",), _tool_versions),
    (tuple(_VERSION_FILES), _version_file),
    (("rust-toolchain.toml",), _rust_toolchain),
    (("package.json",), _package_json),
    (("Pipfile",), _pipfile),
    (("pyproject.toml",), _pyproject),
    (("requirements.txt", "requirements/base.txt"), _requirements),
    (("netlify.toml",), _netlify),
    (("go.mod",), _go_mod),
    (("Gemfile",), _gemfile),
)

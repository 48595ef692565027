"""The packages of a monorepo: what npm, pnpm, Yarn, Bun, Turborepo, Lerna and Nx call workspaces."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.folder import strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_runner.preview.detection.folder import Folder

_MEMBERS_LIMIT = 100
_LEVELS_LIMIT = 3
# Turborepo leaves it to the package manager to say where they are, and Nx to nobody.
_USUAL = ("apps/*", "packages/*", "services/*", "libs/*")
_LIBRARIES = frozenset({"packages", "libs", "tools"})
FRONT_ENDS = ("frontend", "front", "client", "web", "webapp", "ui")
_SHOWN_FIRST = frozenset({*FRONT_ENDS, "app", "site", "www", "website", "dashboard"})
_APIS = frozenset({"backend", "back", "server", "api"})
_SHOWN_LAST = frozenset(
    {*_APIS, "admin", "docs", "e2e", "email", "emails", "example", "examples", "mobile", "native"}
    | {"storybook", "studio", "worker"}
)


def members(folder: Folder) -> list[Folder]:
    """Return the packages of the monorepo that has its root in `folder`, 100 at most."""
    return list(islice(dict.fromkeys(_members(folder)), _MEMBERS_LIMIT))


def root_of(folder: Folder) -> Folder:
    """Return the root of the monorepo that `folder` is a package of, or else the folder itself."""
    for path in list(folder.path.parents)[:_LEVELS_LIMIT]:
        above = folder.at(path)
        if _patterns(above) and folder in members(above):
            return above
    return folder


def named(folder: Folder, names: Iterable[str]) -> list[Folder]:
    """Return the packages of these names or folders, as package managers' filters write them.

    A filter can be a pattern, and one that begins with `!` leaves packages out: of all, if there are only such.
    """
    filters = [name.strip("{}").removesuffix("...").removeprefix("...").strip("^").removeprefix("./") for name in names]
    left_out = [one.removeprefix("!").removeprefix("./") for one in filters if one.startswith("!")]
    wanted = [one for one in filters if not one.startswith("!")] or (["*"] if left_out else [])
    return [member for member in members(folder) if _matches(member, wanted) and not _matches(member, left_out)]


def _matches(member: Folder, filters: Iterable[str]) -> bool:
    known = (member.path.name, str(member.path), str(member.json("package.json").get("name")))
    return any(fnmatchcase(name, one.rstrip("/").replace("**", "*")) for one in filters for name in known)


def likeliest_first(packages: Iterable[Folder]) -> list[Folder]:
    """Sort packages by how likely it is, by their names, that they have the page that people want to see."""
    return sorted(packages, key=lambda folder: (_likelihood(folder.path.name), folder.path.parts[0] in _LIBRARIES))


def is_api(folder: Folder) -> bool:
    """Return whether a folder's name says that it has an API: `backend`, `my-app-api`."""
    return not _words(folder.path.name).isdisjoint(_APIS)


def _words(name: str) -> set[str]:
    return set(re.split(r"[-_.]", name.lower()))


def _likelihood(name: str) -> int:
    words = _words(name)
    return 2 if words & _SHOWN_LAST else 0 if words & _SHOWN_FIRST else 1


def _members(folder: Folder) -> Iterator[Folder]:
    patterns = _patterns(folder) or (_USUAL if folder.has("nx.json", "turbo.json") else ())
    for member in folder.folders(
        (pattern.removeprefix("./").replace("**", "*") for pattern in patterns), _MEMBERS_LIMIT
    ):
        if member.has("package.json", "project.json"):
            yield member


def _patterns(folder: Folder) -> list[str]:
    """Return where a folder's package.json, pnpm or Lerna say that its packages are."""
    workspaces = folder.json("package.json").get("workspaces")
    said = strings(workspaces.get("packages") if isinstance(workspaces, dict) else workspaces)
    said += strings(folder.yaml("pnpm-workspace.yaml").get("packages"))
    said += strings(folder.json("lerna.json").get("packages"))
    return [pattern for pattern in dict.fromkeys(said) if not pattern.startswith(("!", "/"))]

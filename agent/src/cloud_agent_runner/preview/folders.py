"""The folders of a repository that a program of its own may stand in."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDERS_LOOKED_AT = 50
_ENTRIES_LOOKED_AT = 2_000
_PASSED_OVER = frozenset({"node_modules", "vendor", "venv", "dist", "build", "target"})
# Where monorepos keep their applications, and what these share, such as a database's schema.
_OF_APPLICATIONS = ("apps", "packages", "services")


def folders(work_tree: Path) -> Iterator[str]:
    """Yield the work tree, its folders and those in `apps`, `packages` and `services`, by name, 50 in each.

    Links and hidden folders are left out, and those of packages and builds.
    """
    yield ""
    for name in _in(work_tree):
        yield name
        if name in _OF_APPLICATIONS:
            yield from (at(name, inner) for inner in _in(work_tree / name))


def names_in(folder: Path) -> list[str]:
    """Return the names of what is in a folder, 2,000 at most."""
    with suppress(OSError, ValueError), os.scandir(folder) as entries:  # ValueError: no name that a file can have
        return [entry.name for entry in islice(entries, _ENTRIES_LOOKED_AT)]
    return []


def at(folder: str, name: str) -> str:
    """Return the path of what is in such a folder."""
    return f"{folder}/{name}" if folder else name


def _in(folder: Path) -> list[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        names = [e.name for e in islice(entries, _ENTRIES_LOOKED_AT) if e.is_dir(follow_symlinks=False)]
        own = sorted(name for name in names if not name.startswith(".") and name not in _PASSED_OVER)
        return own[:_FOLDERS_LOOKED_AT]
    return []

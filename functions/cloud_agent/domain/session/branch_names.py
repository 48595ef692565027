"""Which names a session's branch may have where the first choice is taken, and what takes a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 50  # of each kind; GitHub has to be asked for none of those that it lists as taken


def alternatives(branch: str) -> list[str]:
    """Return the names to try instead, in order: `claude/42-2` …, then without a folder `claude-42`, `claude-42-2` ….

    A branch `claude` keeps every `claude/…` from being created: in Git it's a file where the others need a folder.
    """
    flat = branch.replace("/", "-")
    numbers = range(2, _MOST + 1)
    return [f"{branch}-{n}" for n in numbers] + [flat] + [f"{flat}-{n}" for n in numbers]


def in_other_case(branch: str) -> list[str]:
    """Return how people would write this name with capitals: for `claude/42`, `Claude/42` and `CLAUDE/42`."""
    folder, slash, rest = branch.partition("/")
    folders, rests = (folder, folder.capitalize(), folder.upper()), dict.fromkeys((rest, rest.upper()))
    return [name for first in folders for last in rests if (name := f"{first}{slash}{last}") != branch]


def blocking(name: str, branches: Iterable[str]) -> str | None:
    """Return the first of these branches beside which `name` can't be created; `name` itself isn't asked about.

    Names that differ in case only, or that need a folder where the other is a file, can't both be checked out on a
    file system that ignores case, such as macOS's.
    """
    wanted = name.casefold()
    for branch in branches:
        other = branch.casefold()
        clashes = other == wanted or other.startswith(f"{wanted}/") or wanted.startswith(f"{other}/")
        if branch != name and clashes:
            return branch
    return None

"""Where Prisma and Drizzle keep a project's schema, as their settings say.

Sources: "Prisma: Prisma schema location", "Prisma Config reference"; "Drizzle: Configuration".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.folders import at, names_in
from cloud_agent_runner.repository.file import has_repository_file, read_repository_object, read_repository_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRISMA_CONFIGS = tuple(f"prisma.config.{kind}" for kind in ("ts", "mts", "cts", "js", "mjs", "cjs"))
_DRIZZLE_CONFIGS = tuple(f"drizzle.config.{kind}" for kind in ("ts", "js", "mjs", "cjs", "json"))
_PRISMA_SCHEMAS = ("prisma/schema.prisma", "schema.prisma")  # the second one beside a package.json
_SCHEMA_FILES_READ = 50


@dataclass(frozen=True)
class Prisma:
    """A project's schema, a file or a folder of them, as seen from the work tree, and what it says of its seeds."""

    schema: str
    migrations: str
    has_seeds: bool


@dataclass(frozen=True)
class Drizzle:
    """What a project's settings say: the dialect of its database, and where its migrations are."""

    dialect: str
    migrations: str


def prisma(work_tree: Path, folder: str) -> Prisma | None:
    """Return where Prisma's schema is in a project's folder; None if it has none."""
    config = _config(work_tree, folder, _PRISMA_CONFIGS) or ""
    package = read_repository_object(work_tree, at(folder, "package.json"))
    settings = package.get("prisma")
    settings = settings if isinstance(settings, dict) else {}
    named = _setting(config, "schema") or settings.get("schema")
    usual = _PRISMA_SCHEMAS if package else _PRISMA_SCHEMAS[:1]
    present = (path for path in usual if has_repository_file(work_tree, at(folder, path)))
    schema = named if isinstance(named, str) and named.isprintable() else next(present, "prisma" if config else None)
    if schema is None:
        return None
    path = at(folder, schema)
    around = PurePosixPath(path).parent if path.endswith(".prisma") else PurePosixPath(path)
    migrations = re.search(r"""migrations:\s*\{[^}]{0,500}?\bpath:\s*["']([^"'\0]+)""", config)
    where = at(folder, migrations[1]) if migrations else str(around / "migrations")
    return Prisma(path, where, bool(settings.get("seed") or _setting(config, "seed")))


def prisma_texts(work_tree: Path, one: Prisma) -> Iterator[str]:
    """Yield what a project's schema says."""
    names = names_in(work_tree / one.schema)  # none of a file
    files = [at(one.schema, name) for name in sorted(names) if name.endswith(".prisma")] or [one.schema]
    return (read_repository_text(work_tree, file) for file in islice(files, _SCHEMA_FILES_READ))


def drizzle(work_tree: Path, folder: str) -> Drizzle | None:
    """Return what Drizzle's settings say in a project's folder; None without, or of a cloud's or a phone's database."""
    config = _config(work_tree, folder, _DRIZZLE_CONFIGS)
    if config is None or _setting(config, "driver"):
        return None
    return Drizzle(_setting(config, "dialect"), at(folder, _setting(config, "out").removeprefix("./") or "drizzle"))


def _config(work_tree: Path, folder: str, names: tuple[str, ...]) -> str | None:
    found = (at(folder, name) for name in names)
    file = next((file for file in found if has_repository_file(work_tree, file)), None)
    return None if file is None else read_repository_text(work_tree, file)


def _setting(config: str, name: str) -> str:
    found = re.search(
        rf"""^(?![ \t]*//)[^\n]*?\b["']?{name}["']?\s*:\s*["'`]([^"'`$\n\0]+)["'`]""", config, re.MULTILINE
    )
    return found[1] if found else ""

"""Finds out what a script of package.json keeps running, through all that starts other scripts.

What runs several scripts at once is known by name: concurrently, npm-run-all, Turborepo, Lerna, Nx, and package
managers with their options for workspaces.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import shell, workspaces
from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.servers import CONTAINER_ENGINES, NOT_HERE, Server, server_of, serves_no_edits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.shell import Command

MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_DEPTH_LIMIT = 5
_LINES_LIMIT = 200
_RUNNING_LIMIT = 40
_FOLDER_OPTIONS = ("--prefix", "-C", "--dir", "--cwd")
_PACKAGE_OPTIONS = ("--filter", "-F", "--workspace", "-w", "--scope", "--projects", "-p")
_IN_ALL_PACKAGES = ("-r", "--recursive", "--workspaces", "-ws", "--parallel")
# Options of `concurrently` that take a value ("concurrently: CLI").
_VALUED_BY_CONCURRENTLY = frozenset((
    *("-n", "--names", "-c", "--prefix-colors", "-p", "--prefix", "-m", "--max-processes"),
    *("--restart-tries", "-s", "--success"),
))  # fmt: skip
# What builds, checks or waits, be it for changed files: nothing that anybody could visit.
_NOT_SERVING = frozenset((
    *("tsc", "tsup", "tsdown", "unbuild", "rollup", "esbuild", "swc", "babel", "microbundle", "vue-tsc"),
    *("vite", "webpack", "next", "ng", "sass", "postcss", "tailwindcss", "graphql-codegen", "prisma", "svelte-package"),
    *("jest", "vitest", "eslint", "prettier", "biome"),
    *("echo", "exit", "true", "sleep", "wait-on", "rimraf", "rm", "cp", "mkdir", "open"),
))  # fmt: skip

# As pnpm's `run "/^dev:/"` chooses scripts. Other expressions are left alone: one could be made to take hours.
_BY_BEGINNING = re.compile(r"/\^([\w:.-]+?)(?:\.\*)?/")

_Line = tuple[str, "Folder"]


@dataclass(frozen=True)
class Running:
    """A command that a script keeps running, and the server that it is; None where nobody knows."""

    command: Command
    folder: Folder
    server: Server | None


def running(line: str, folder: Folder) -> list[Running]:
    """Return what a command line keeps running in a folder, 40 commands at most.

    What is known to serve nothing is left out, and so is what no session has.
    """
    here = (one for one in _running(line, folder, set(), 0) if one.command.program not in NOT_HERE)
    return list(islice(here, _RUNNING_LIMIT))


def calls_engine(line: str, folder: Folder) -> bool:
    """Return whether a command line starts containers, by whichever script."""
    return any(one.command.program in CONTAINER_ENGINES for one in _running(line, folder, set(), 0))


def _running(line: str, folder: Folder, seen: set[_Line], depth: int) -> Iterator[Running]:
    if (line, folder) in seen or len(seen) >= _LINES_LIMIT or depth > _DEPTH_LIMIT:
        return
    seen.add((line, folder))
    where = folder
    for command in shell.commands(line):
        if command.program == "cd":
            where = where.sub(command.arguments[0]) if command.arguments else where
        elif lines := list(_lines_of(command, where)):
            for inner, at in lines:
                yield from _running(inner, at, seen, depth + 1)
        elif (server := server_of(command)) or not (command.program in _NOT_SERVING or serves_no_edits(command)):
            yield Running(command, where, server)
        if command.is_aside:
            where = folder


def _lines_of(command: Command, folder: Folder) -> Iterable[_Line]:
    """Return the command lines that a command starts, each with its folder; none where it's what runs itself."""
    match command.program:
        case "concurrently":
            return _of_concurrently(command, folder)
        case "run-p" | "run-s" | "npm-run-all" | "npm-run-all2":
            return _of_run_all(command, folder)
        case "turbo" | "lerna" | "nx":
            return _of_monorepo(command, folder)
        case program if program in MANAGERS:
            return _of_manager(command, folder)
        case _:
            return ()


def _of_concurrently(command: Command, folder: Folder) -> Iterator[_Line]:
    for before, word in zip(command.words, command.words[1:], strict=False):
        if not word.startswith("-") and before not in _VALUED_BY_CONCURRENTLY:
            manager, _, pattern = word.partition(":")
            if manager in {*MANAGERS, "node"} and pattern:
                yield from _scripts(pattern, folder)
            else:
                yield word, folder


def _of_run_all(command: Command, folder: Folder) -> Iterator[_Line]:
    """Yield the scripts that it runs; of those that run one after another the last one stays."""
    patterns = [word.partition(" ")[0] for word in command.words[1:] if not word.startswith("-")]
    if command.program == "run-s" or (command.program != "run-p" and not command.has("-p", "--parallel")):
        patterns = patterns[-1:]
    for pattern in patterns:
        yield from _scripts(pattern, folder)


def _of_monorepo(command: Command, folder: Folder) -> Iterator[_Line]:
    """Yield what `turbo run dev` and its like run: that script of all packages, or of those that are chosen."""
    chosen = command.values(*_PACKAGE_OPTIONS)
    words = [word for word in command.arguments if word not in {"run", "run-many", "watch", *chosen}]
    words += command.values("-t", "--target", "--targets")
    for word in words:
        project, _, target = word.partition(":")  # of Nx
        packages = workspaces.named(folder, chosen or [project]) if chosen or target else workspaces.members(folder)
        for package in packages:
            yield from _scripts(target or project, package)


def _of_manager(command: Command, folder: Folder) -> Iterator[_Line]:
    """Yield what `npm run dev` and its like run, in whichever package."""
    words = [word for word in command.arguments if word not in {"run", "run-script", "foreach"}]
    if words[:1] == ["workspace"]:
        packages, words = workspaces.named(folder, words[1:2]), words[2:]
    elif words[:1] == ["workspaces"] or command.has(*_IN_ALL_PACKAGES):
        packages, words = workspaces.members(folder), [word for word in words if word != "workspaces"]
    elif where := command.values(*_FOLDER_OPTIONS):
        packages = [folder.sub(where[0])]
    elif chosen := command.values(*_PACKAGE_OPTIONS):
        packages = workspaces.named(folder, chosen)
    else:
        packages = [folder]
    for package in packages:
        yield from _scripts(words[0] if words else "", package)


def _scripts(pattern: str, folder: Folder) -> Iterator[_Line]:
    scripts = table(folder.json("package.json"), "scripts")
    if beginning := _BY_BEGINNING.fullmatch(pattern):
        names = [name for name in scripts if name.startswith(beginning[1])]
    else:
        names = [pattern] if pattern in scripts else fnmatch.filter(scripts, pattern)
    yield from ((scripts[name], folder) for name in names if isinstance(scripts[name], str))

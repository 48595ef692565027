"""What a repository's commands need beyond what is installed, and the command that gets it."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.toolchains.installed import installed_version
from cloud_agent_runner.preview.toolchains.version_files import RUN_BY_NAME, Request, requests

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCRIPT = Path(__file__).with_name("get_toolchains.sh")


@dataclass(frozen=True)
class _Tool:
    """`programs` are what a command that needs it calls; `asks_version` prints the installed one's version.

    `lines` are what to ask mise for where several versions will do, in the order of preference. `name` is mise's.
    """

    programs: frozenset[str]
    asks_version: tuple[str, ...]
    lines: tuple[str, ...] = ()
    name: str | None = None


# PHP isn't among them: mise compiles it, with libraries of Debian's that only root can install.
_TOOLS = {
    "node": _Tool(
        frozenset({"node", "npm", "npx", "pnpm", "yarn"}), ("node", "--version"), ("24", "22", "20", "18", "16", "14")
    ),
    "go": _Tool(frozenset({"go"}), ("go", "version")),
    "ruby": _Tool(
        frozenset({"ruby", "bundle", "rails", "rake", "gem"}),
        ("ruby", "--version"),
        ("3.4", "3.3", "3.2", "3.1", "2.7"),
    ),
    "java": _Tool(frozenset({"java", "mvn", "mvnw", "gradle", "gradlew"}), ("java", "--version"), ("21", "17", "11")),
    "deno": _Tool(frozenset({"deno"}), ("deno", "--version")),
    "rust": _Tool(frozenset({"cargo", "rustc"}), ("rustc", "--version")),
    # What the other edition does, this one does as well.
    "hugo": _Tool(frozenset({"hugo"}), ("hugo", "version"), name="hugo-extended"),
    "air": _Tool(frozenset({"air"}), ("air", "-v")),
    # Their names are words that commands have for other things, such as `deno task`.
    **{name: _Tool(frozenset(), (name, "--version")) for name in sorted(RUN_BY_NAME - {"hugo", "air"})},
}
# Commands that name one of these or of the above say what they need; others, such as `make dev`, don't.
_OTHER_PROGRAMS = frozenset({"bun", "composer", "php", "pip", "python", "python3", "uv"})
_PYTHON_LINES = ("3.13", "3.12", "3.11", "3.10", "3.9", "3.8")


def toolchain_setup(work_tree: Path, commands: Iterable[str | None], folder: str = ".") -> str | None:
    """Return the command that gets the toolchains which `commands` need and this machine lacks; None if it lacks none.

    Those that the files of version managers name are needed by whatever runs, such as a Makefile.
    The command succeeds even where it can't get one.
    """
    words = set(re.findall(r"[\w.+-]+", " ".join(command or "" for command in commands)))
    is_opaque = words.isdisjoint(_OTHER_PROGRAMS.union(*(tool.programs for tool in _TOOLS.values())))
    asked = requests(work_tree, folder)
    missing = []
    for name, tool in _TOOLS.items():
        request = asked.get(name)
        is_asked_for = request is not None and (request.is_pin or is_opaque)
        is_needed = is_asked_for or not words.isdisjoint(tool.programs)
        if is_needed and not _is_installed(tool, request):
            missing.append(f"{tool.name or name}@{_version_to_ask_for(request, tool.lines)}")
    return f"sh {shlex.quote(str(_SCRIPT))} {shlex.join(missing)}" if missing else None


def requested_bun(work_tree: Path, folder: str = ".") -> str | None:
    """Return the version of Bun that version managers' files name, if they name one."""
    request = requests(work_tree, folder).get("bun")
    return _version_to_ask_for(request, ()) if request and not request.is_any else None


def requested_python(work_tree: Path, folder: str = ".") -> str | None:
    """Return the version of Python to make the project's environment of; None where the supervisor's own will do."""
    request = requests(work_tree, folder).get("python")
    if request is None or request.accepts(sys.version_info[:3]):
        return None
    return _version_to_ask_for(request, _PYTHON_LINES)


def _is_installed(tool: _Tool, request: Request | None) -> bool:
    installed = installed_version(*tool.asks_version)
    return installed is not None and (request is None or request.accepts(installed))


def _version_to_ask_for(request: Request | None, lines: tuple[str, ...]) -> str:
    newest = lines[0] if lines else "latest"
    if request is None or request.is_any:
        return newest
    if request.range is None:
        return request.text
    return request.range.line(lines) or newest

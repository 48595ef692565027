"""Evidence: the targets of a Makefile, justfile or Taskfile, and the tasks of mise.toml.

A target's commands are run by the shell: neither `just` nor `task` is in the image, and so they can be made to follow
$HOST and $PORT. What isn't plain text once the file's own variables are put in is left alone. What a target needs first
runs before it, unless the session sees to that itself: packages, databases, environments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.preview.detection.command_lines import runs_here, server_in
from cloud_agent_runner.preview.detection.folder import strings, table
from cloud_agent_runner.preview.detection.shell import LINE_LIMIT
from cloud_agent_runner.preview.env_files import JUSTFILES, MAKEFILES, TASKFILES
from cloud_agent_runner.preview.toolchains import MISE_FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.found import Program

# What follows edits comes first.
_TARGETS = (
    *("dev", "dev-server", "devserver", "run-dev", "start-dev", "develop", "serve", "server", "runserver"),
    *("run", "start", "up", "watch", "docs-serve", "serve-docs"),
)
# Under these names, a module of the repository's own is a server, too.
_SERVING = frozenset({"dev", "dev-server", "devserver", "develop", "serve", "server", "runserver"})
_MAKE = re.compile(
    r"^(?P<name>[\w.-]+)(?P<parameters>)[ \t]*:(?!=)(?P<first>[^\n]*)\n(?P<recipe>(?:\t[^\n]*\n?|[ \t]*\n)*)",
    re.MULTILINE,
)
_JUST = re.compile(
    r"^@?(?P<name>[\w-]++)(?P<parameters>[^\n:]*+):(?!=)(?P<first>[^\n]*)\n(?P<recipe>(?:[ \t]+[^\n]*\n?|\n)*)",
    re.MULTILINE,
)
_PARAMETER = re.compile(r"""[*+$]{0,2}(\w+)(?:=["']?([^"'\s]*)["']?)?""")
# What a session does itself, or what isn't needed to see a page.
_DONE_OTHERWISE = re.compile(
    r"\.?(?:install|deps?|depend|setup|bootstrap|init|env|venv|node_modules|vendor|docker|compose|db|database|up|services?"
    r"|infra|migrat|clean|help|lint|fmt|format|test|check|stop|down|kill)",
    re.IGNORECASE,
)
_IN_BACKGROUND = re.compile(
    r"^(?:docker|docker-compose|podman|podman-compose|nerdctl)\s(?=.*\s(?:-d|--detach|--wait)(?:\s|$))[^;&|]*$"
)
_ASSIGNED = re.compile(
    r"^(?:export[ \t]+)?(\w+)[ \t]*(?:\?|::?)?=[ \t]*[\"']?([^\n\"'#]*+)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE
)
_USED = re.compile(r"\$\((\w+)\)|\$\{(\w+)\}|\{\{\s*\.?(\w+)\s*\}\}")
_EXPANSION = re.compile(r"\$[({@<^*?]|\{\{")
_OWN = frozenset({"HOST", "PORT"})  # which every command gets
_OF_SHELL = {"CURDIR": "PWD"}
_QUIET = re.compile(r"^[@+-]+\s*")


@dataclass(frozen=True)
class _Target:
    """A target's commands as one line, and the lines of the targets that it needs first."""

    line: str
    first: tuple[str, ...] = ()


def find(folder: Folder) -> Program | None:
    """Return what the first of the usual targets serves."""
    for names, read in _FILES:
        file = folder.first(*names)
        targets = read(folder, file) if file else {}
        for name in _TARGETS:
            target = targets.get(name, _Target(""))
            why = f"the `{name}` target in {folder.named(file or '')}"
            if program := server_in(folder, target.line, why, trusts_modules=name in _SERVING):
                first = [line for line in target.first if line and runs_here(line) and not server_in(folder, line, why)]
                is_here = program.folder == folder
                return replace(program, dev="".join(f"({line}); " for line in first if is_here) + program.dev)
    return None


def _make(folder: Folder, file: str) -> dict[str, _Target]:
    # What make doesn't know is a variable of the environment, or empty: as in the shell.
    return _recipes(folder.text(file), _MAKE, lambda name: f"${_OF_SHELL.get(name, name)}")


def _just(folder: Folder, file: str) -> dict[str, _Target]:
    return _recipes(folder.text(file), _JUST)


def _task(folder: Folder, file: str) -> dict[str, _Target]:
    settings = folder.yaml(file)
    variables = {str(name): str(value) for name, value in table(settings, "vars").items()} | {"CLI_ARGS": ""}
    return _tasks(table(settings, "tasks"), variables, "deps")


def _mise(folder: Folder, file: str) -> dict[str, _Target]:
    return _tasks(table(folder.toml(file), "tasks"), {}, "depends")


_FILES: tuple[tuple[tuple[str, ...], Callable[[Folder, str], dict[str, _Target]]], ...] = (
    (MAKEFILES, _make),
    (JUSTFILES, _just),
    ((*TASKFILES, "Taskfile.dist.yml"), _task),
    (MISE_FILES, _mise),
)


def _recipes(text: str, pattern: re.Pattern[str], unknown: Callable[[str], str] | None = None) -> dict[str, _Target]:
    variables = {name: value.rstrip() for name, value in _ASSIGNED.findall(text)}
    found = {one["name"]: one for one in pattern.finditer(f"{text}\n")}
    lines = {
        name: _plain(_line(one["recipe"]), variables | _given(one["parameters"]), unknown)
        for name, one in found.items()
    }
    needs = {name: one["first"].partition("#")[0].split() for name, one in found.items()}
    return {name: _Target(line, _first(needs[name], lines)) for name, line in lines.items()}


def _tasks(tasks: Mapping[Any, Any], variables: Mapping[str, str], needs: str) -> dict[str, _Target]:
    lines = {str(name): _plain(" && ".join(_steps(_commands(task))), variables) for name, task in tasks.items()}
    return {name: _Target(line, _first(strings(table(tasks, name).get(needs)), lines)) for name, line in lines.items()}


def _given(parameters: str) -> dict[str, str]:
    """Return what a recipe's parameters are where nobody gives any; those that need one aren't among them."""
    found = _PARAMETER.finditer(parameters)
    return {one[1]: one[2] or "" for one in found if one[0].startswith("*") or one[2] is not None}


def _first(names: Iterable[str], lines: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(lines[name] for name in names if name in lines and not _DONE_OTHERWISE.match(name))


def _line(recipe: str) -> str:
    """Return a recipe as one line for the shell: its lines run one after another."""
    return " && ".join(_steps(recipe.replace("\\\n", " ").splitlines()))


def _steps(lines: Iterable[str]) -> Iterator[str]:
    """Yield what of a target's lines does something here: services that start in the background run already."""
    for line in lines:
        step = _QUIET.sub("", line.strip())
        if step and not step.startswith(("#", "echo ")) and not _IN_BACKGROUND.match(step):
            yield step


def _plain(line: str, variables: Mapping[str, str], unknown: Callable[[str], str] | None = None) -> str:
    """Return the line with the file's variables put in; nothing where it still isn't plain text, or gets too long."""

    def value(found: re.Match[str]) -> str:
        name = next(filter(None, found.groups()))
        if name in _OWN:
            return f"${name}"
        known = variables.get(name)
        return known[: LINE_LIMIT + 1] if known is not None else unknown(name) if unknown else found[0]

    for _ in range(3):  # a variable may be made of others, and a line of millions
        if len(line) > LINE_LIMIT:
            return ""
        line = _USED.sub(value, line)
    return "" if len(line) > LINE_LIMIT or _EXPANSION.search(line) else line.replace("$$", "$").strip()


def _commands(value: object) -> Iterator[str]:
    """Yield the commands of a task, in any of the forms that Task and mise have for them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _commands(each)
    elif isinstance(value, dict):
        for key in ("cmds", "cmd", "run"):
            yield from _commands(value.get(key))

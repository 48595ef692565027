"""Evidence: the targets of a Makefile, justfile or Taskfile.

A target's commands are run by the shell: neither `just` nor `task` is in the image, and so they can be made to follow
$HOST and $PORT. What isn't plain text once the file's own variables are put in is left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.command_lines import server_in
from cloud_agent_runner.preview.detection.folder import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.found import Program

# What follows edits comes first.
_TARGETS = (
    *("dev", "dev-server", "devserver", "run-dev", "start-dev", "develop", "serve", "server", "runserver"),
    *("run", "start", "up", "watch", "docs-serve", "serve-docs"),
)
_MAKE = re.compile(r"^(?P<name>[\w.-]+)[ \t]*:(?!=)[^\n]*\n(?P<recipe>(?:\t[^\n]*\n?|[ \t]*\n)*)", re.MULTILINE)
_JUST = re.compile(r"^@?(?P<name>[\w-]+)[^\n:]*:(?!=)[^\n]*\n(?P<recipe>(?:[ \t]+[^\n]*\n?|\n)*)", re.MULTILINE)
_ASSIGNED = re.compile(
    r"^(?:export[ \t]+)?(\w+)[ \t]*(?:\?|::?)?=[ \t]*[\"']?([^\n\"'#]*?)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE
)
_USED = re.compile(r"\$\((\w+)\)|\$\{(\w+)\}|\{\{\s*\.?(\w+)\s*\}\}")
_EXPANSION = re.compile(r"\$[({@<^*?]|\{\{")
_OWN = frozenset({"HOST", "PORT"})  # which every command gets
_QUIET = re.compile(r"^[@+-]+\s*")


def find(folder: Folder) -> Program | None:
    """Return what the first of the usual targets serves."""
    for names, read in _FILES:
        file = folder.first(*names)
        targets = read(folder, file) if file else {}
        for name in _TARGETS:
            why = f"the `{name}` target in {folder.named(file or '')}"
            if program := server_in(folder, targets.get(name, ""), why):
                return program
    return None


def _make(folder: Folder, file: str) -> dict[str, str]:
    return _recipes(folder.text(file), _MAKE)


def _just(folder: Folder, file: str) -> dict[str, str]:
    return _recipes(folder.text(file), _JUST)


def _task(folder: Folder, file: str) -> dict[str, str]:
    settings = folder.yaml(file)
    variables = {str(name): str(value) for name, value in table(settings, "vars").items()}
    tasks = table(settings, "tasks").items()
    return {str(name): _plain(" && ".join(_commands(task)), variables) for name, task in tasks}


_FILES: tuple[tuple[tuple[str, ...], Callable[[Folder, str], dict[str, str]]], ...] = (
    (("Makefile", "makefile", "GNUmakefile"), _make),
    (("justfile", "Justfile", ".justfile"), _just),
    (("Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "Taskfile.dist.yml"), _task),
)


def _recipes(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    variables = dict(_ASSIGNED.findall(text))
    return {found["name"]: _plain(_line(found["recipe"]), variables) for found in pattern.finditer(f"{text}\n")}


def _line(recipe: str) -> str:
    """Return a recipe as one line for the shell: its lines run one after another."""
    steps = [_QUIET.sub("", step.strip()) for step in recipe.replace("\\\n", " ").splitlines()]
    return " && ".join(step for step in steps if step and not step.startswith(("#", "echo ")))


def _plain(line: str, variables: dict[str, str]) -> str:
    """Return the line with the file's variables put in; nothing where it still isn't plain text."""

    def value(found: re.Match[str]) -> str:
        name = next(filter(None, found.groups()))
        return f"${name}" if name in _OWN else variables.get(name, found[0])

    for _ in range(3):  # a variable may be made of others
        line = _USED.sub(value, line)
    return "" if _EXPANSION.search(line) else line.replace("$$", "$")


def _commands(value: object) -> Iterator[str]:
    """Yield the commands of a task, in any of the forms that Task has for them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _commands(each)
    elif isinstance(value, dict):
        for key in ("cmds", "cmd"):
            yield from _commands(value.get(key))

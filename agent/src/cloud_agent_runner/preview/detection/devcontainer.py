"""Evidence: devcontainer.json, by which GitHub Codespaces and editors start a repository."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.preview.detection.command_lines import runs_here, server_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.found import Program

_NAMES = (".devcontainer/devcontainer.json", ".devcontainer.json")
_STARTING = ("postAttachCommand", "postStartCommand")
_CREATING = ("onCreateCommand", "updateContentCommand", "postCreateCommand")


def find(folder: Folder) -> Program | None:
    """Return what is served of that which runs once somebody attaches to the container."""
    name = next(iter((*filter(folder.has, _NAMES), *folder.files([".devcontainer/*/devcontainer.json"]))), None)
    settings = folder.jsonc(name) if name else {}
    for key in _STARTING:
        for line in _lines(settings.get(key)):
            if program := server_in(folder, line, f"`{key}` in {folder.named(name or '')}"):
                return replace(program, install=program.install or _created(settings))
    return None


def _created(settings: dict[str, Any]) -> tuple[str, ...]:
    """Return what makes the container ready, where no other file says what is installed."""
    return tuple(line for key in _CREATING for line in _lines(settings.get(key)) if runs_here(line))


def _lines(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever the file holds
    """Yield the commands of a setting: text for the shell, a program's arguments, or several of these by name."""
    if isinstance(value, dict):
        for each in value.values():
            if not isinstance(each, dict):
                yield from _lines(each)
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        yield shlex.join(value)
    elif isinstance(value, str):
        yield value

"""Evidence: a Procfile, which names an application's processes; `Procfile.dev` is the one for developers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install
from cloud_agent_runner.preview.detection.command_lines import runs_here, server_in
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.detection.shell import without_environments

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

_FOR_DEVELOPERS = ("Procfile.dev", "Procfile.development", "Procfile.local")
_LINE = re.compile(r"^([A-Za-z0-9_-]+):[ \t]*(\S.*)$", re.MULTILINE)
# The process that is shown, whose name is as good as agreed upon (Heroku: "The Procfile").
_SHOWN = ("web", "frontend", "client", "app", "server", "rails")


def for_developers(folder: Folder) -> Program | None:
    """Return what the Procfile for developers serves. Whoever writes one runs all of it, known programs or not."""
    name = folder.first(*_FOR_DEVELOPERS)
    return _shown(folder, name, known=False) if name else None


def for_production(folder: Folder) -> Program | None:
    """Return what the Procfile for production serves, if that's a program that serves developers just as well."""
    return _shown(folder, "Procfile", known=True)


def _shown(folder: Folder, name: str, *, known: bool) -> Program | None:
    lines = dict(_LINE.findall(folder.text(name)))
    for process in (*_SHOWN, *(() if known else lines)):
        line = lines.get(process, "")
        why = f"`{process}` in {folder.named(name)}"
        if program := server_in(folder, line, why) or (None if known else _as_it_stands(folder, line, why)):
            return replace(program, name=process)
    return None


def _as_it_stands(folder: Folder, line: str, why: str) -> Program | None:
    line = without_environments(line)
    return Program(folder, line, why, install.everything(folder), reloads=False) if line and runs_here(line) else None

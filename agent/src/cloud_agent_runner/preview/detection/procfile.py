"""Evidence: a Procfile, which names an application's processes; `Procfile.dev` is the one for developers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install
from cloud_agent_runner.preview.detection.command_lines import runs_here, server_in
from cloud_agent_runner.preview.detection.found import USUAL_PORT, Program
from cloud_agent_runner.preview.detection.shell import without_environments
from cloud_agent_runner.preview.services.own_servers import PROCFILE_LINE, PROCFILES, server_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_runner.preview.detection.folder import Folder

# The process that is shown, whose name is as good as agreed upon ("Heroku: The Procfile").
_SHOWN = ("web", "frontend", "client", "app", "server", "rails")
_ENDING = frozenset({"release", "setup"})
_PROCESSES_LIMIT = 10
# What foreman gives to the processes, in their order ("foreman(1)": PORT).
_FIRST_PORT, _PORTS_APART = 5000, 100


def for_developers(folder: Folder) -> Program | None:
    """Return what the Procfile for developers serves, with its other processes beside it.

    Whoever writes one runs all of it, known programs or not.
    """
    file = folder.first(*PROCFILES)
    programs = {program.name: program for program in _processes(folder, file)} if file else {}
    name = next((name for name in (*_SHOWN, *programs) if name in programs), None)
    if name is None:
        return None
    shown = programs.pop(name)
    known = server_in(folder, shown.dev, shown.why)
    return replace(known or shown, name=name, beside=tuple(programs.values()), is_whole=True)


def for_production(folder: Folder) -> Program | None:
    """Return what the Procfile for production serves, if that's a program that serves developers just as well."""
    line = dict(PROCFILE_LINE.findall(folder.text("Procfile"))).get("web", "")
    return server_in(folder, line, f"`web` in {folder.named('Procfile')}")


def _processes(folder: Folder, file: str) -> Iterator[Program]:
    """Yield the processes as they stand there: those beside the page are where its configuration expects them."""
    installed = install.everything(folder)
    for number, (name, line) in enumerate(PROCFILE_LINE.findall(folder.text(file))[:_PROCESSES_LIMIT]):
        if runs_here(line) and name not in _ENDING and not server_of(line):
            port = _FIRST_PORT + number * _PORTS_APART if re.search(r"\$\{?PORT\b", line) else None
            why = f"`{name}` in {folder.named(file)}"
            server = server_in(folder, line, why)
            yield Program(
                folder,
                without_environments(line),
                why,
                server.install if server else installed,
                reloads=server is None or server.reloads,
                name=name,
                wanted_port=port,
                may_take_usual_port=server is not None and not port and server.port in {None, USUAL_PORT},
            )

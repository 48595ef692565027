"""Evidence: what a Compose file builds, and what a Dockerfile runs. No image is built for a session.

Only what has a port counts: other containers run tools and jobs.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.command_lines import server_in
from cloud_agent_runner.preview.detection.folder import strings, table
from cloud_agent_runner.preview.services.compose_files import COMPOSE_FILES

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.found import Program

_BUILT_LIMIT = 20
_INSTRUCTION = re.compile(r"^[ \t]*(FROM|EXPOSE|CMD|ENTRYPOINT)[ \t]+(.+)$", re.MULTILINE | re.IGNORECASE)
_CONTINUED = re.compile(r"\\\n\s*")


def compose(folder: Folder) -> Program | None:
    """Return what the first service serves that is built from this folder and has a command of its own."""
    file, services = _services(folder)
    for name, service in services.items():
        given = service.get("command")
        line = shlex.join(strings(given)) if isinstance(given, list) else given
        is_here = _context(service) == "." and bool(service.get("ports") or service.get("expose"))
        why = f"the command of `{name}` in {folder.named(file)}"
        if isinstance(line, str) and is_here and (program := server_in(folder, line, why)):
            return program
    return None


def dockerfile(folder: Folder) -> Program | None:
    """Return what the image of the folder's Dockerfile serves."""
    file = folder.first("Dockerfile.dev", "Dockerfile")
    lines = dict[str, str]()
    for instruction, text in _INSTRUCTION.findall(_CONTINUED.sub(" ", folder.text(file)) if file else ""):
        if instruction.upper() == "FROM":  # another stage, which has none of the one before it
            lines.clear()
        lines[instruction.upper()] = _line(text)
    line = " ".join(filter(None, (lines.get("ENTRYPOINT"), lines.get("CMD"))))
    return server_in(folder, line, f"`CMD` in {folder.named(file or '')}") if "EXPOSE" in lines else None


def built_folders(folder: Folder) -> list[Folder]:
    """Return the other folders that a Compose file's services are built from, in its order."""
    _, services = _services(folder)
    contexts = filter(None, map(_context, services.values()))
    return [built for built in dict.fromkeys(map(folder.sub, contexts)) if built != folder][:_BUILT_LIMIT]


def _services(folder: Folder) -> tuple[str, dict[str, dict[str, object]]]:
    file = folder.first(*COMPOSE_FILES) or ""
    services = table(folder.yaml(file), "services") if file else {}
    return file, {str(name): service for name, service in services.items() if isinstance(service, dict)}


def _context(service: dict[str, object]) -> str | None:
    """Return the folder that a service is built from, as far as it's one of the repository's."""
    build = service.get("build")
    context = build.get("context", ".") if isinstance(build, dict) else build
    if not isinstance(context, str) or ":" in context or context.startswith(("/", "..", "~")):
        return None
    return context.removeprefix("./").rstrip("/") or "."


def _line(text: str) -> str:
    """Return an instruction's command as a line for the shell, in either of its two forms."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return shlex.join(strings(words))

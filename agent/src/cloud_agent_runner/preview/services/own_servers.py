"""The databases that a repository's own Procfile starts. A session has one of its own, at the same port."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.folders import at, folders
from cloud_agent_runner.preview.services.service import Wanted
from cloud_agent_runner.repository.file import read_repository_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_agent_runner.repository.config import ServiceName

PROCFILES = ("Procfile.dev", "Procfile.development", "Procfile.local")
"""A Procfile for developers, whose first one counts."""
PROCFILE_LINE = re.compile(r"^([A-Za-z0-9_-]+):[ \t]*(\S.*)$", re.MULTILINE)
_SERVERS: dict[str, ServiceName] = {
    **dict.fromkeys(("redis-server", "valkey-server"), "redis"),
    "postgres": "postgres",
    **dict.fromkeys(("mysqld", "mysqld_safe", "mariadbd", "mariadbd-safe"), "mysql"),
}
_PROGRAM = re.compile(r"(?:exec\s+)?(?:\S*/)?([\w-]+)(?:\s[^;&|]*)?")
_OTHER_PORT = re.compile(r"\s(?:-p|--port)[ =]?(?!(?:3306|5432|6379)\b)\d")


def server_of(line: str) -> ServiceName | None:
    """Return which database a line of a Procfile starts at its usual port, if that's all it does."""
    program = _PROGRAM.fullmatch(line.strip())
    return _SERVERS.get(program[1]) if program and not _OTHER_PORT.search(line) else None


def servers_in_procfiles(work_tree: Path) -> Iterator[Wanted]:
    """Yield the databases that processes of the repository's Procfiles for developers are."""
    for folder in folders(work_tree):
        texts = (read_repository_text(work_tree, at(folder, name)) for name in PROCFILES)
        for _, line in PROCFILE_LINE.findall(next(filter(None, texts), "")):
            if kind := server_of(line):
                yield Wanted(kind)

"""A file of the repository that was made to take minutes is looked at in a moment: nothing else of the session waits.

As large as they may be, these took minutes to an hour, or more memory than there is.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import lay_out

from cloud_agent_runner.preview.database_schemas import drizzle, prisma
from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.preview.services.needed import needed_services
from cloud_agent_runner.preview.toolchains.version_files import requests
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 250_000
FILES = {
    "a Dockerfile of empty lines": {
        "Dockerfile": "FROM node\n" + "\n" * SIZE,
        "compose.yaml": "services: {web: {build: .}}",
    },
    "a Gemfile of empty lines": {"Gemfile": "\n" * SIZE, "config/application.rb": "", "bin/rails": ""},
    "a go.mod of empty lines": {"go.mod": "\n" * SIZE, "main.go": "package main\n"},
    "variables of empty lines": {".env": "\n" * SIZE, ".env.example": "\n" * SIZE},
    "Rails' database of empty lines": {"config/database.yml": "\n" * SIZE},
    "Prisma's settings that begin again and again": {
        "prisma/schema.prisma": "",
        "prisma.config.ts": "migrations: {" * (SIZE // 13),
    },
    "Drizzle's settings of empty lines": {"drizzle.config.ts": "\n" * SIZE},
    "Python of empty lines": {"requirements.txt": "aiohttp\nstreamlit\n", "app.py": "\n" * SIZE},
    "a factory's arguments": {"requirements.txt": "fastapi\n", "main.py": f"def create_app({'=' * SIZE}"},
    "a string that isn't closed": {".devcontainer/devcontainer.json": '"\\' * (SIZE // 2)},
    "comments that aren't closed": {".devcontainer/devcontainer.json": "/* " * (SIZE // 3)},
    "a recipe without a colon": {"justfile": "a" * SIZE},
    "a recipe's signs": {"justfile": f"dev {'+' * SIZE}:\n\techo\n"},
    "a variable of blanks": {"Makefile": f"a=b{' ' * SIZE}'x"},
    "a variable made of variables": {
        "Makefile": "".join(f"V{n} = {f'$(V{n + 1})' * 12_000}\n" for n in range(4)) + "dev:\n\tnpx vite $(V0)\n"
    },
    "a module's name": {"Makefile": f"dev:\n\tpython -m {'a.' * (SIZE // 2)}\n"},
    "a script of variables": {"package.json": json.dumps({"scripts": {"dev": "A=b " * (SIZE // 4)}})},
    "a Procfile's line of variables": {"Procfile": f"web: {'A=b ' * (SIZE // 4)}\n"},
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", FILES)
def test_a_file_is_looked_at_in_a_moment(tmp_path: Path, what: str) -> None:
    lay_out(tmp_path, FILES[what])
    with suppress(DevServerNotConfiguredError):
        dev_server_plan(tmp_path, RepositoryConfig())
    for look in (needed_services, requests):
        look(tmp_path)
    for look_into in (prisma, drizzle):
        look_into(tmp_path, "")

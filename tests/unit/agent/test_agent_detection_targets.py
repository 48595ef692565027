# ruff: noqa: E501 - a table reads best with a shape in few lines
"""The targets of Makefiles, justfiles and Taskfiles as their own programs would run them, and mise's tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import ADDRESS, lay_out

from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.preview.env_files import procfile_environment
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

UVICORN = f"uvicorn main:app {ADDRESS}"


@pytest.mark.parametrize(
    ("files", "dev"),
    [
        ({"Makefile": "run:\n\tgo run ./cmd/api $(ARGS)\n"}, "go run ./cmd/api $ARGS"),
        ({"Makefile": "run:\n\tcd $(CURDIR) && go run .\n"}, "cd $PWD && go run ."),
        ({"Makefile": "run:\n\tgo run . $(shell pwd)\n"}, None),
        ({"justfile": "run *ARGS:\n    go run . {{ARGS}}\n"}, "go run ."),
        ({"justfile": "run mode='fast':\n    go run . {{mode}}\n"}, "go run . fast"),
        ({"justfile": "run mode:\n    go run . {{mode}}\n"}, None),
        ({"Taskfile.yml": "tasks: {dev: {cmds: ['go run . {{.CLI_ARGS}}'], deps: [css, install]}, css: 'sass a b', install: npm ci}"},
         "(sass a b); go run ."),
        ({"Makefile": "dev: install css  # start\n\tuvicorn main:app\ninstall:\n\tpip install x\ncss:\n\tsass a.scss a.css\n"},
         f"(sass a.scss a.css); {UVICORN}"),
        ({"Makefile": "dev: db\n\tdocker compose up -d db\n\tuvicorn main:app\ndb:\n\tdocker compose up\n"}, UVICORN),
        ({"Makefile": "dev:\n\tdocker compose up -d && uvicorn main:app\n"}, None),
        ({"Makefile": "serve:\n\tpoetry run python -m shop.server\n", "shop/server.py": ""}, "python -m shop.server"),
        ({"Makefile": "serve:\n\tpython -m shop\n", "src/shop/__main__.py": ""}, "python -m shop"),
        ({"Makefile": "serve:\n\tpython -m shop\n"}, None),
        ({"Makefile": "start:\n\tpython -m shop\n", "shop/__main__.py": ""}, None),
        ({"mise.toml": "[tasks.dev]\nrun = ['uvicorn main:app']\n"}, UVICORN),
        ({"mise.toml": "[tasks]\ndev = 'uvicorn main:app'\n"}, UVICORN),
    ],
)  # fmt: skip
def test_a_target_runs_as_its_own_program_would_run_it(tmp_path: Path, files: dict[str, str], dev: str | None) -> None:
    lay_out(tmp_path, files)
    try:
        found = dev_server_plan(tmp_path, RepositoryConfig()).dev
    except DevServerNotConfiguredError:
        found = None
    assert found == dev


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("Makefile", "include .env\nexport\n", {"A": "1"}),
        ("Makefile", "-include ./.env\n", {"A": "1"}),
        ("Makefile", "include common.mk\n", {}),
        ("justfile", "set dotenv-load\n", {"A": "1"}),
        ("justfile", "set dotenv-load := false\n", {}),
        ("Taskfile.yml", "dotenv: ['.env']\n", {"A": "1"}),
        ("Taskfile.yml", "version: 3\n", {}),
    ],
)
def test_targets_have_the_environment_that_their_file_gives_them(
    tmp_path: Path, name: str, content: str, expected: dict[str, str]
) -> None:
    lay_out(tmp_path, {name: content, ".env": "A=1\nPORT=80\n"})
    assert procfile_environment(tmp_path) == expected

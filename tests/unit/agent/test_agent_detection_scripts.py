# ruff: noqa: E501 - a table reads best with a shape in few lines
"""What scripts of package.json start beyond Node.js: containers, other languages, windows, and what nobody has built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import NEXT, OWN_PORTS, REQUIREMENTS, VITE, lay_out, package

from cloud_agent_runner.preview import detection
from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = f"sh {detection.__path__[0]}/without_engine.sh"
API = {"api/requirements.txt": "fastapi\n"}


@pytest.mark.parametrize(
    ("files", "dev"),
    [
        ({"package.json": package(dev="docker compose up", start="node server.js")}, "npm run start"),
        ({"package.json": package(dev="docker compose up -d && next dev")}, f"{ENGINE} npm run dev"),
        ({"package.json": package(dev="npm run db && next dev", db="docker-compose up -d")}, f"{ENGINE} npm run dev"),
        ({"package.json": package(predev="docker compose up -d db", dev="next dev")}, f"{ENGINE} npm run dev -- {NEXT}"),
        ({"package.json": package(dev='concurrently "docker compose up" "vite" "node api.js"')}, f"{OWN_PORTS} {ENGINE} npm run dev"),
        ({"package.json": package(dev="vercel dev", start="vite")}, f"npm run start -- {VITE}"),
        ({"package.json": package(dev="electron .")}, None),
        ({"package.json": package(dev="electron-vite dev", start="electron-vite preview")}, None),
        ({"package.json": package(start="react-native start")}, None),
        ({"package.json": package(start="node bin/cli.js", more={"bin": {"tool": "./bin/cli.js"}})}, None),
        ({"package.json": package(start="node cli.js", more={"bin": "cli.js", "dependencies": {"express": "5"}})}, "npm run start"),
    ],
)  # fmt: skip
def test_what_no_session_has_is_left_out_of_scripts(tmp_path: Path, files: dict[str, str], dev: str | None) -> None:
    lay_out(tmp_path, files)
    if dev is None:
        with pytest.raises(DevServerNotConfiguredError):
            dev_server_plan(tmp_path, RepositoryConfig())
    else:
        assert dev_server_plan(tmp_path, RepositoryConfig()).dev == dev


@pytest.mark.parametrize(
    ("script", "files", "steps"),
    [
        ('concurrently "vite" "uvicorn main:app"', {"requirements.txt": "fastapi\n"}, [REQUIREMENTS]),
        ('concurrently "vite" "cd api && uvicorn main:app"', API, ["cd api && ", REQUIREMENTS]),
        ('concurrently "vite" "npm:api"', API, ["cd api && ", REQUIREMENTS]),
        ('concurrently "vite" "cd api && go run ."', {"api/go.mod": "module x\n"}, ["go@latest", "cd api && go mod download"]),
        ("vite", {"requirements.txt": "fastapi\n"}, []),
    ],
)  # fmt: skip
def test_a_server_in_another_language_has_its_packages(
    tmp_path: Path, script: str, files: dict[str, str], steps: list[str]
) -> None:
    lay_out(tmp_path, {"package.json": package(dev=script, api="cd api && python3 main.py"), **files})
    install = dev_server_plan(tmp_path, RepositoryConfig()).install or ""
    assert [part for part in steps if part in install] == steps
    assert ("requirements.txt" in install) == (REQUIREMENTS in steps)


@pytest.mark.parametrize(
    ("scripts", "files", "is_built"),
    [
        ({"build": "tsc", "start": "node dist/index.js"}, {}, True),
        ({"build": "tsc", "start": "node ."}, {}, True),
        ({"build": "tsc", "start": "node dist/index.js"}, {".gitignore": "/dist/\n", "dist/index.js": ""}, True),
        ({"build": "tsc", "start": "node dist/index.js"}, {"dist/index.js": ""}, False),
        ({"build": "next build", "start": "next start"}, {}, True),
        ({"build": "remix vite:build", "start": "remix-serve ./build/server/index.js"}, {}, True),
        ({"build": "vite build", "serve": "serve -s build"}, {}, True),
        ({"build": "tsc", "start": "tsc && node dist/index.js"}, {}, False),
        ({"build": "tsc", "prestart": "npm run build", "start": "node dist/index.js"}, {}, False),
        ({"start": "node dist/index.js"}, {}, False),
        ({"build": "webpack", "start": "node server.js"}, {}, False),
    ],
)  # fmt: skip
def test_what_nobody_has_built_is_built_first(
    tmp_path: Path, scripts: dict[str, str], files: dict[str, str], *, is_built: bool
) -> None:
    lay_out(tmp_path, {"package.json": package(more={"main": "dist/index.js"}, **scripts), **files})
    plan = dev_server_plan(tmp_path, RepositoryConfig())
    name = next(name for name in ("serve", "start") if name in scripts)
    assert plan.dev.removesuffix(f" -- {NEXT}") == (f"npm run build; npm run {name}" if is_built else f"npm run {name}")
    assert not (is_built and plan.reloads)

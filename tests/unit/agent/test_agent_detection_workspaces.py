"""Monorepos: which of their packages is shown, how they're installed, and what their root scripts really run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import lay_out

from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.preview.package_managers import python
from cloud_agent_runner.preview.toolchains import missing
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.preview.plan import DevServerPlan

VITE = 'npm run dev -- --host "$HOST" --port "$PORT" --strictPort'
OWN_PORTS = "env -u HOST -u PORT"


@pytest.fixture(autouse=True)
def node_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "which", lambda name: f"/usr/local/bin/{name}")
    monkeypatch.setattr(missing, "installed_version", lambda *_: (24, 21, 0))


def _package(name: str = "", workspaces: list[str] | None = None, **scripts: str) -> str:
    return json.dumps({"name": name, "scripts": scripts} | ({"workspaces": workspaces} if workspaces else {}))


def _plan(work_tree: Path, files: dict[str, str]) -> DevServerPlan:
    lay_out(work_tree, files)
    return dev_server_plan(work_tree, RepositoryConfig())


@pytest.mark.parametrize(
    ("files", "dev"),
    [
        (
            {
                "package.json": _package(workspaces=["packages/*"]),
                "packages/api/package.json": _package(dev="node --watch api.js"),
                "packages/ui/package.json": _package(dev="tsup --watch"),
                "packages/web-app/package.json": _package(dev="vite"),
            },
            f"cd packages/web-app && {VITE}",
        ),
        (
            {
                "package.json": _package(test="jest"),
                "pnpm-workspace.yaml": "packages: ['./sites/**', '!sites/old']\n",
                "sites/shop/package.json": _package(dev="next dev"),
            },
            'cd sites/shop && pnpm run dev --hostname "$HOST" --port "$PORT"',
        ),
        (
            {
                "lerna.json": '{"packages": ["modules/*"]}',
                "modules/a/package.json": _package(build="tsc"),
                "modules/b/package.json": _package(start="node b.js"),
            },
            "cd modules/b && npm run start",
        ),
        (
            {"nx.json": "", "libs/a/package.json": _package(dev="tsc"), "libs/b/package.json": _package(dev="vite")},
            f"cd libs/b && {VITE}",
        ),
        (
            {
                "package.json": _package(workspaces=["apps/*"]),
                "apps/docs/package.json": _package(dev="vite"),
                "apps/orders/package.json": _package(dev="vite"),
            },
            f"cd apps/orders && {VITE}",
        ),
    ],
)  # fmt: skip
def test_the_package_that_has_the_page_is_shown(tmp_path: Path, files: dict[str, str], dev: str) -> None:
    assert _plan(tmp_path, files).dev == dev


@pytest.mark.parametrize(
    ("files", "install"),
    [
        (
            {"package.json": _package(workspaces=["apps/*"]), "apps/web/package.json": _package(dev="vite")},
            "npm install --no-package-lock",
        ),
        ({"apps/web/package.json": _package(dev="vite")}, "cd apps/web && npm install --no-package-lock"),
        (
            {
                "js/package.json": _package(workspaces=["web"]),
                "js/web/package.json": _package(dev="vite"),
                "Makefile": "dev:\n\tcd js/web && npm run dev\n",
            },
            "cd js && npm install --no-package-lock",
        ),
    ],
)
def test_a_monorepo_is_installed_at_its_root(tmp_path: Path, files: dict[str, str], install: str) -> None:
    assert _plan(tmp_path, files).install == install


@pytest.mark.parametrize(
    ("script", "own_ports"),
    [
        ("turbo run dev", True),
        ("turbo dev --filter=@acme/web", False),
        ("turbo dev --filter=./apps/*", True),
        ("turbo dev --filter=@acme/* --filter=api", True),
        ("turbo dev --filter=!@acme/web", False),
        ("turbo dev --filter=@acme/web^...", False),
        ("lerna run dev --scope=api", False),
        ("nx run-many -t dev", True),
        ("nx run web:dev", False),
        ("npm run dev --workspaces", True),
        ("npm run dev -w web", False),
        ("npm --prefix apps/web run dev", False),
        ("pnpm -r --parallel dev", True),
        ("pnpm --filter './apps/**' dev", True),
        ("bun run --filter '*' dev", True),
        ("pnpm run '/^(pages|api)$/'", False),
        ("pnpm run '/^dev-/'", True),
        ("yarn workspaces foreach -pi run dev", True),
        ("yarn workspace @acme/web dev", False),
        ("run-p pages api", True),
        ("npm-run-all build api", False),
        ("npm-run-all --parallel pages api", True),
        ('concurrently -n "a,b" npm:pages "npm run api"', True),
        ('concurrently "tsc -w" "node server.js"', False),
        ("cd apps/api && npm run dev & cd apps/web && npm run dev", True),
    ],
)
def test_several_servers_of_one_script_have_a_port_each(tmp_path: Path, script: str, *, own_ports: bool) -> None:
    scripts = {"pages": "vite", "api": "node --watch api.js", "build": "tsc"}
    scripts |= {"dev-pages": "vite", "dev-api": "node --watch api.js"}
    files = {
        "package.json": _package(workspaces=["apps/*"], dev=script, **scripts),
        "apps/web/package.json": _package("@acme/web", dev="vite"),
        "apps/api/package.json": _package("api", dev="nodemon api.js"),
    }
    plan = _plan(tmp_path, files)
    manager = "bun" if script.startswith("bun ") else "npm"
    assert plan.dev == (f"{OWN_PORTS} {manager} run dev" if own_ports else f"{manager} run dev")
    assert plan.why.startswith("the `dev` script in package.json")


def test_libraries_alone_have_no_preview(tmp_path: Path) -> None:
    library = _package(dev="tsc --watch")
    with pytest.raises(DevServerNotConfiguredError):
        _plan(tmp_path, {"package.json": _package(workspaces=["packages/*"]), "packages/a/package.json": library})


def test_a_workspace_with_a_name_that_no_folder_can_have_is_passed_over(tmp_path: Path) -> None:
    package = {"workspaces": ["a\0", "b\ud800/*"], "scripts": {"dev": "cd a && vite"}}
    lay_out(tmp_path, {"package.json": json.dumps(package)})

    assert dev_server_plan(tmp_path, RepositoryConfig()).dev == "npm run dev"

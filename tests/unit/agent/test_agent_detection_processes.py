"""Several processes: a Procfile's, a front end with its API, a server with what builds its pages' styles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import lay_out

from cloud_agent_runner.preview.detection import dev_server_plan
from cloud_agent_runner.preview.plan import Process
from cloud_agent_runner.preview.toolchains import missing
from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.repository.config_file import RepositoryConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.preview.plan import DevServerPlan

PYTHON = '"$HOME/.venv"/bin/python -m'
UVICORN = f'{PYTHON} uvicorn main:app --reload --host "$HOST" --port "$PORT"'
RUNSERVER = f'{PYTHON} manage runserver "$HOST:$PORT"'
VITE = 'npm run dev -- --host "$HOST" --port "$PORT" --strictPort'
FASTAPI = {"requirements.txt": "fastapi\n", "main.py": "app = FastAPI()\n"}
PROXY = "export default {server: {port: 5173, proxy: {'/api': 'http://localhost:8080'}}}"


def _package(**scripts: str) -> str:
    return json.dumps({"scripts": scripts})


def _in(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def _plan(work_tree: Path, files: dict[str, str]) -> DevServerPlan:
    lay_out(work_tree, files)
    return dev_server_plan(work_tree, RepositoryConfig())


@pytest.mark.parametrize(
    ("files", "dev", "processes"),
    [
        (
            {"Procfile.dev": "release: true\nweb: rails s\njs: yarn build\napi: puma -p ${PORT}\ndb: docker run x\n"},
            'rails s --binding "$HOST" --port "$PORT"',
            [Process("js", "yarn build"), Process("api", "puma -p ${PORT}", 5300)],
        ),
        (
            {"Procfile.dev": "web: rails s\nredis: redis-server\ndb: exec postgres -D x\nown: redis-server -p 6380\n"},
            'rails s --binding "$HOST" --port "$PORT"',
            [Process("own", "redis-server -p 6380")],
        ),
        (
            {"Procfile.dev": "worker: poetry run celery worker\nserver: uvicorn main:app --port 7000\nworker: other\n"},
            'uvicorn main:app --port 7000 --host "$HOST" --port "$PORT"',
            [Process("worker", "other")],
        ),
        (
            _in("frontend", {"package.json": _package(dev="vite")}) | _in("backend", FASTAPI),
            f"cd frontend && {VITE}",
            [Process("backend", f"cd backend && {UVICORN}", 8000)],
        ),
        (
            _in("frontend", {"package.json": _package(dev="vite"), "vite.config.ts": PROXY}) | _in("backend", FASTAPI),
            f"cd frontend && {VITE}",
            [Process("backend", f"cd backend && {UVICORN}", 8080)],
        ),
        (
            {
                "apps/web/package.json": _package(dev="vite"),
                "apps/web/.env.example": "VITE_API=http://127.0.0.1:3000/api",
                "apps/api/package.json": _package(dev="nodemon api.js"),
            },
            f"cd apps/web && {VITE}",
            [Process("api", "cd apps/api && npm run dev", 3000)],
        ),
        (
            {"package.json": _package(start="craco start"), "api/package.json": _package(start="node api.js")},
            "npm run start",
            [Process("api", "cd api && npm run start")],
        ),
        (
            {
                "package.json": _package(dev='concurrently "vite" "npm --prefix server start"'),
                "server/package.json": _package(start="node api.js"),
            },
            "env -u HOST -u PORT npm run dev",
            [],
        ),
        (
            {
                "package.json": json.dumps({"workspaces": ["web"], "scripts": {"dev": "npm run dev -w web"}}),
                "web/package.json": _package(dev="vite"),
                "server/package.json": _package(start="node api.js"),
            },
            "npm run dev",
            [Process("server", "cd server && npm run start")],
        ),
        ({"api/package.json": _package(dev="nodemon api.js")}, "cd api && npm run dev", []),
        (
            {"manage.py": "", "package.json": _package(build="vite build", watch="tailwindcss -o b.css --watch")},
            RUNSERVER,
            [Process("watch", "npm run watch")],
        ),
        (
            {"package.json": _package(dev="tsc --watch", start="node --watch dist/server.js")},
            "npm run start",
            [Process("dev", "npm run dev")],
        ),
        (
            {
                "manage.py": "",
                "package.json": _package(
                    dev="concurrently 'CI=1 vite dev web --port 1 -c \"my vite.js\" --mode=local' 'cd css && vite'"
                ),
                "pnpm-lock.yaml": "",
            },
            f"CI=1 pnpm exec vite build web -c 'my vite.js' --mode local; {RUNSERVER}",
            [Process("vite", "CI=1 pnpm exec vite build web -c 'my vite.js' --mode local --watch")],
        ),
        (
            {"artisan": "", "package.json": _package(dev="vite", watch="tailwindcss -o a.css -w"), "yarn.lock": ""},
            'yarn run vite build; ASSET_URL=/. php -d variables_order=GPCS artisan serve --host "$HOST" --port "$PORT"',
            [Process("watch", "yarn run watch"), Process("vite", "yarn run vite build --watch")],
        ),
        (
            {"bin/rails": "", "Gemfile": 'gem "vite_ruby"', "config/vite.json": '{"all": {"skipProxy": true}}'},
            'VITE_RUBY_SKIP_PROXY=false bin/rails server --binding "$HOST" --port "$PORT"',
            [Process("vite", "VITE_RUBY_SKIP_PROXY=false bundle exec vite dev")],
        ),
        (
            {"manage.py": "", "requirements.txt": "django-vite\n", "package.json": _package(dev="webpack serve")},
            RUNSERVER,
            [],
        ),
    ],
)  # fmt: skip
def test_what_belongs_together_runs_together(
    tmp_path: Path, files: dict[str, str], dev: str, processes: list[Process]
) -> None:
    plan = _plan(tmp_path, files)
    assert (plan.dev, list(plan.processes)) == (dev, processes)


NODE_API = {"package.json": _package(dev="nest start")}
ON_VITE, ON_NEXT = ({"package.json": _package(dev=line)} for line in ("vite", "next dev"))


@pytest.mark.parametrize(
    ("page", "api", "planned"),
    [
        (ON_VITE, NODE_API, (5173, True, None)),
        (ON_NEXT, NODE_API, (None, False, None)),
        (ON_VITE, FASTAPI, (None, False, 8000)),
        (ON_VITE | {"vite.config.ts": PROXY.replace("8080", "3000")}, FASTAPI, (5173, True, 3000)),
        (ON_VITE | {"vite.config.ts": PROXY}, NODE_API, (None, False, 8080)),
        (
            ON_VITE | {".env": "SITE=http://localhost:3000", "vite.config.ts": "port: 3000,"},
            FASTAPI,
            (None, False, 8000),
        ),
        (ON_NEXT | {".env": "NEXTAUTH_URL=http://localhost:3000"}, FASTAPI, (None, False, 8000)),
        ({"package.json": _package(dev="PORT=4000 node dev.js")}, NODE_API, (4000, True, None)),
    ],
)
def test_the_page_leaves_port_3000_to_an_api_that_may_take_it(
    tmp_path: Path, page: dict[str, str], api: dict[str, str], planned: tuple[int | None, bool, int | None]
) -> None:
    plan = _plan(tmp_path, _in("frontend", page) | _in("backend", api))
    assert (plan.port, plan.leaves_usual_port, *(process.port for process in plan.processes)) == planned


ON_CRA = {"package.json": json.dumps({"scripts": {"start": "react-scripts start"}, "proxy": "http://localhost:5001"})}
PAGE = {"index.html": ""}


@pytest.mark.parametrize(
    ("files", "dev", "processes"),
    [
        (FASTAPI | _in("frontend", ON_VITE | PAGE), f"cd frontend && {VITE}", [Process("server", UVICORN, 8000)]),
        (
            {"package.json": _package(dev="nodemon server.js")} | _in("client", ON_CRA | {"public/index.html": ""}),
            "cd client && npm run start",
            [Process("server", "npm run dev", 5001)],
        ),
        (
            {"manage.py": "", "shop/templates/page.html": ""}
            | _in("frontend", ON_VITE | PAGE | {"vite.config.ts": PROXY}),
            f"cd frontend && {VITE}",
            [Process("server", RUNSERVER, 8080)],
        ),
        ({"manage.py": "", "shop/templates/page.html": ""} | _in("frontend", ON_VITE | PAGE), RUNSERVER, []),
        (FASTAPI | _in("frontend", ON_VITE), UVICORN, []),
        (ON_VITE | PAGE | _in("client", ON_VITE | PAGE), VITE, []),
        (
            _in("frontend", {"requirements.txt": "dash\n", "app.py": "import dash\n"}) | _in("backend", FASTAPI),
            f"cd frontend && {PYTHON} app",
            [Process("backend", f"cd backend && {UVICORN}", 8000)],
        ),
        (
            _in("ui", ON_VITE) | _in("server", NODE_API),
            f"cd ui && {VITE}",
            [Process("server", "cd server && npm run dev")],
        ),
        (
            _in("my-app", ON_VITE) | _in("my-app-api", FASTAPI),
            f"cd my-app && {VITE}",
            [Process("my-app-api", f"cd my-app-api && {UVICORN}", 8000)],
        ),
        ({"requirements.txt": "", "mysite/manage.py": "", "examples/manage.py": ""}, f"cd mysite && {RUNSERVER}", []),
        (_in("packages/lib", {"package.json": _package(dev="tsup -w")}) | _in("packages/playground", ON_VITE),
         f"cd packages/playground && {VITE}", []),
    ],
)  # fmt: skip
def test_a_page_and_its_server_are_found_in_whichever_folders_they_are(
    tmp_path: Path, files: dict[str, str], dev: str, processes: list[Process]
) -> None:
    plan = _plan(tmp_path, files)
    assert (plan.dev, list(plan.processes)) == (dev, processes)


@pytest.mark.parametrize(
    ("procfile", "port"),
    [
        ("web: vite\napi: node api.js\n", 5173),
        ("web: vite\napi: node api.js -p 4000\njs: yarn build --watch\n", None),
        ("web: PORT=3000 node web.js\napi: node api.js\n", 3000),
    ],
)
def test_a_procfiles_page_leaves_port_3000_to_a_server_without_a_port(
    tmp_path: Path, procfile: str, port: int | None
) -> None:
    plan = _plan(tmp_path, {"Procfile.dev": procfile})
    assert (plan.port, plan.leaves_usual_port) == (port, port == 5173)


def test_all_of_them_are_installed_each_in_its_folder(tmp_path: Path) -> None:
    front = {"package.json": _package(dev="vite"), "package-lock.json": "{}"}
    plan = _plan(tmp_path, _in("frontend", front) | _in("backend", FASTAPI))
    first, _, second = (plan.install or "").partition(" && (cd backend && ")
    assert first == "(cd frontend && npm ci)"
    assert second.endswith(" -r requirements.txt)")
    assert plan.why == "the `dev` script in frontend/package.json; beside it ASGI: `app` in backend/main.py"


def test_one_that_has_to_be_restarted_has_them_all_restarted(tmp_path: Path) -> None:
    files = {"client/package.json": _package(dev="vite"), "server/package.json": _package(start="node api.js")}
    assert not _plan(tmp_path, files).reloads


def test_the_settings_give_processes_their_ports(tmp_path: Path) -> None:
    _plan(tmp_path, {"Procfile.dev": "web: rails s\napi: ./api\njs: yarn build\n"})
    plan = dev_server_plan(tmp_path, RepositoryConfig(ports={"api": 4000}))
    assert plan.processes == (Process("api", "./api", 4000), Process("js", "yarn build"))
    with pytest.raises(RepositoryConfigError, match=r"`ports`: no `ap` runs beside .* called api, js\.$"):
        dev_server_plan(tmp_path, RepositoryConfig(ports={"ap": 1}))
    with pytest.raises(RepositoryConfigError, match=r"Nothing else does\.$"):
        dev_server_plan(tmp_path, RepositoryConfig(dev="make dev", ports={"api": 1}))


def test_the_toolchain_of_what_runs_beside_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "installed_version", lambda program, *_: (24, 0, 0) if program == "node" else None)
    api = {"api/go.mod": "module x\n", "api/main.go": "http.ListenAndServe()\n"}
    install = _plan(tmp_path, {"web/package.json": _package(dev="vite"), **api}).install or ""
    assert "get_toolchains.sh go@latest && (cd web" in install

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from tests.kit.repository_shapes import lay_out

from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.preview.package_managers import python
from cloud_agent_runner.preview.plan import DevServerPlan
from cloud_agent_runner.preview.toolchains import missing
from cloud_agent_runner.repository.config import RepositoryConfig

VENV = '"$HOME/.venv"'
STREAMLIT = (
    f'{VENV}/bin/python -m streamlit run app.py --server.address "$HOST" --server.port "$PORT" '
    "--server.headless true --server.runOnSave true"
)
MAKE = f"sh {Path(python.__file__).with_name('make_environment.sh')} {sys.executable}"
SCRIPT = Path(python.__file__).with_name("install_requirements.sh")
REQUIREMENTS = f"sh {SCRIPT} {sys.executable} uv -r requirements.txt"
GET = f"sh {Path(python.__file__).with_name('get_package_manager.sh')}"


@pytest.fixture(autouse=True)
def uv_and_node_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "which", lambda name: f"/usr/local/bin/{name}")
    monkeypatch.setattr(missing, "installed_version", lambda *_: (24, 21, 0))


def _package(**scripts: str) -> str:
    return json.dumps({"scripts": scripts})


@pytest.mark.parametrize(
    ("files", "install", "dev"),
    [
        (
            {"package.json": _package(dev="vite"), "package-lock.json": "{}"},
            "npm ci",
            'npm run dev -- --host "$HOST" --port "$PORT" --strictPort',
        ),
        (
            {"package.json": _package(dev="next dev --turbo")},
            "npm install --no-package-lock",
            'npm run dev -- --hostname "$HOST" --port "$PORT"',
        ),
        (
            {"package.json": _package(dev="nuxt dev"), "pnpm-lock.yaml": ""},
            f"{GET} pnpm@10 && pnpm install --frozen-lockfile --config.dangerously-allow-all-builds=true",
            'pnpm run dev --host "$HOST" --port "$PORT"',
        ),
        (
            {"package.json": _package(start="node server.js"), "yarn.lock": ""},
            f"{GET} yarn@1 && yarn install --no-lockfile",
            "yarn run start",
        ),
        (
            {"package.json": _package(build="tsc"), "manage.py": "", "requirements.txt": "Django>=5\n"},
            REQUIREMENTS,
            f'{VENV}/bin/python -m manage runserver "$HOST:$PORT"',
        ),
        (
            {
                "requirements.txt": "-r requirements.txt\n--requirement=deps/web.txt\n",
                "deps/web.txt": "-r ./base.txt\n",
                "deps/base.txt": "streamlit\n",
                "app.py": "import streamlit as st\n",
            },
            REQUIREMENTS,
            STREAMLIT,
        ),
        (
            {"requirements.txt": "# web\nfastapi[standard]==0.115\n", "app/main.py": "api: FastAPI = FastAPI()\n"},
            REQUIREMENTS,
            f'{VENV}/bin/python -m uvicorn app.main:api --reload --host "$HOST" --port "$PORT"',
        ),
        (
            {
                "pyproject.toml": '[project]\nname = "x"\ndependencies = ["Flask>=3"]\n',
                "src/shop/__init__.py": "def create_app():\n    return Flask(__name__)\n",
            },
            f"{MAKE} && uv pip install --python {VENV} --editable .",
            f'PYTHONPATH=src FLASK_APP=shop FLASK_DEBUG=1 {VENV}/bin/python -m flask run --host "$HOST" --port "$PORT"',
        ),
        (
            {"requirements.txt": "streamlit\n", "app.py": "import streamlit as st\n"},
            REQUIREMENTS,
            STREAMLIT,
        ),
    ],
)
def test_usual_repositories_are_recognised(tmp_path: Path, files: dict[str, str], install: str, dev: str) -> None:
    lay_out(tmp_path, files)
    plan = dev_server_plan(tmp_path, RepositoryConfig())
    assert (install, dev, None, "/") == (plan.install, plan.dev, plan.port, plan.health_path)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"package.json": "not json"},
        {"package.json": "[]"},
        {"package.json": _package(test="jest")},
        {"package.json": _package(dev="tsup --watch", start="npm run dev")},
        {
            "package.json": _package(
                dev="npm run start & " * 3 + "npm run serve", start="npm run dev", serve="npm start"
            )
        },
        {"requirements.txt": "flask\n"},
        {"pyproject.toml": "[project\n"},
    ],
)
def test_what_is_not_recognised_is_said_with_what_tolay_out(tmp_path: Path, files: dict[str, str]) -> None:
    lay_out(tmp_path, files)
    with pytest.raises(DevServerNotConfiguredError, match=r"\.github/claude-cloud-agent\.yml(.|\n)*dev: npm run dev"):
        dev_server_plan(tmp_path, RepositoryConfig())


def test_a_dev_command_of_the_repository_is_taken_with_nothing_found_out(tmp_path: Path) -> None:
    lay_out(tmp_path, {"package.json": _package(dev="vite")})
    assert DevServerPlan(dev="make dev") == dev_server_plan(tmp_path, RepositoryConfig(dev="make dev"))


def test_what_the_repository_says_is_laid_over_what_is_found_out(tmp_path: Path) -> None:
    lay_out(tmp_path, {"package.json": _package(dev="node server.js")})
    config = RepositoryConfig(install="make deps", port=4000, health_path="/up", budget_usd=1)
    expected = DevServerPlan(dev="npm run dev", install="make deps", port=4000, health_path="/up", reloads=False)
    assert expected == dev_server_plan(tmp_path, config)


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": "[" * 100_000},
        {"pyproject.toml": f"x = {'[' * 100_000}"},
        {"package.json": '{"scripts": {"dev": "vite"}}' + " " * 1024 * 1024},
        {"package.json": "\udcff"},
    ],
)
def test_a_file_that_cannot_be_read_counts_as_absent(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content.encode(errors="surrogateescape"))
    lay_out(tmp_path, {"requirements.txt": "flask\n", "app.py": "app = Flask(__name__)\n"})
    assert "FLASK_APP=app " in dev_server_plan(tmp_path, RepositoryConfig()).dev


def test_what_is_no_file_of_the_repository_counts_as_absent(tmp_path: Path) -> None:
    work_tree = tmp_path / "repository"
    lay_out(tmp_path, {"package.json": _package(dev="vite"), "manage.py": "", "yarn.lock": ""})
    lay_out(work_tree, {"requirements.txt": "flask\n", "second/app.py": "app = Flask(__name__)\n"})
    for name in ("package.json", "manage.py"):
        (work_tree / name).symlink_to(f"../{name}")
    (work_tree / "pyproject.toml").symlink_to("/dev/zero")
    os.mkfifo(work_tree / "app.py")
    (work_tree / "first").mkdir()
    os.mkfifo(work_tree / "first" / "app.py")
    (work_tree / "third").symlink_to("/")

    assert "FLASK_APP=second.app " in dev_server_plan(work_tree, RepositoryConfig()).dev


def test_of_very_many_files_the_first_are_looked_at(tmp_path: Path) -> None:
    lay_out(tmp_path, {"requirements.txt": "flask\n", "zoo/app.py": "app = Flask(__name__)\n"})
    lay_out(tmp_path, {f"app{number:03}/app.py": "" for number in range(200)})
    with pytest.raises(DevServerNotConfiguredError):
        dev_server_plan(tmp_path, RepositoryConfig())


def test_a_file_name_is_quoted_for_the_shell(tmp_path: Path) -> None:
    lay_out(tmp_path, {"requirements.txt": "fastapi\n", "my app; x/main.py": "app = FastAPI()\n"})
    assert "uvicorn 'my app; x.main':app " in dev_server_plan(tmp_path, RepositoryConfig()).dev


PYTHON = f"{VENV}/bin/python -m"
FLASK = 'run --host "$HOST" --port "$PORT"'
UVICORN = '--reload --host "$HOST" --port "$PORT"'
EXPRESS = {"package.json": _package(start="node server.js")}


@pytest.mark.parametrize(
    ("files", "dev"),
    [
        ({"package.json": _package(**{"start": "nest start", "start:dev": "nest start --watch"})}, "npm run start:dev"),
        ({"package.json": _package(develop="gatsby develop", start="gatsby serve")}, "npm run develop"),
        ({"package.json": _package(server="hexo server", build="hexo generate")}, "npm run server"),
        ({"package.json": _package(**{"docs:dev": "vitepress dev"})}, "npm run docs:dev"),
        (
            {"package.json": _package(dev='concurrently "vite" "node api.js" && echo')},
            "env -u HOST -u PORT npm run dev",
        ),
        ({"package.json": _package(dev="turbo run dev --filter=astro")}, "npm run dev"),
        ({"package.json": _package(dev="vite build --watch", start="node server.js")}, "npm run start"),
        (
            {"package.json": _package(dev="NODE_ENV=development cross-env A=1 npx vite")},
            'npm run dev -- --host "$HOST" --port "$PORT" --strictPort',
        ),
        ({"package.json": _package(dev="react-router dev")}, "npm run dev"),
        (
            {"manage.py": "", "requirements.txt": "django\n", "package.json": _package(dev="vite")},
            f'npm exec --no -- vite build; {PYTHON} manage runserver "$HOST:$PORT"',
        ),
        (
            {
                "requirements.txt": "flask\n",
                "app.py": "app = flask.Flask(__name__)\n",
                "package.json": _package(dev="tailwindcss"),
            },
            f"FLASK_APP=app FLASK_DEBUG=1 {PYTHON} flask {FLASK}",
        ),
        (
            {"requirements.txt": "flask\n", "autoapp.py": "app = create_app(CONFIG)\n"},
            f"FLASK_APP=autoapp FLASK_DEBUG=1 {PYTHON} flask {FLASK}",
        ),
        (
            {"requirements.txt": "fastapi\n", "app/main.py": "app = get_application()\n"},
            f"{PYTHON} uvicorn app.main:app {UVICORN}",
        ),
        (
            {"requirements.txt": "fastapi\n", "main.py": "app = fastapi.FastAPI()\n"},
            f"{PYTHON} uvicorn main:app {UVICORN}",
        ),
        (
            {"backend/requirements.txt": "fastapi\n", "backend/app/main.py": "app = FastAPI()\n", "README.md": ""},
            f"cd backend && {PYTHON} uvicorn app.main:app {UVICORN}",
        ),
        (
            {"frontend/package.json": _package(dev="vite"), "backend/manage.py": ""},
            'cd frontend && npm run dev -- --host "$HOST" --port "$PORT" --strictPort',
        ),
        (
            {"package.json": _package(test="jest"), "apps/web/package.json": _package(dev="next dev")},
            'cd apps/web && npm run dev -- --hostname "$HOST" --port "$PORT"',
        ),
        (
            {"requirements.txt": "streamlit\n", "streamlit_app.py": "import streamlit as st\n"},
            STREAMLIT.replace("app.py", "streamlit_app.py"),
        ),
        (
            {"requirements.txt": "gradio\n", "app.py": "import gradio as gr\n"},
            f'GRADIO_SERVER_NAME="$HOST" GRADIO_SERVER_PORT="$PORT" {PYTHON} app',
        ),
        ({"requirements.txt": "dash\n", "app.py": "from dash import Dash\n"}, f"{PYTHON} app"),
        ({"requirements.txt": "nicegui\n", "main.py": "from nicegui import ui\n"}, f"{PYTHON} main"),
        ({"mkdocs.yml": "site_name: x\n"}, f'{PYTHON} mkdocs serve --dev-addr "$HOST:$PORT"'),
        ({"bin/rails": "", "Gemfile": ""}, 'bin/rails server --binding "$HOST" --port "$PORT"'),
        ({"go.mod": "module x\n", "main.go": "http.ListenAndServe()\n"}, "go run ."),
        ({"index.html": "<h1>Hello</h1>"}, 'exec python3 -m http.server --bind "$HOST" "$PORT"'),
    ],
)
def test_what_repositories_really_have_is_recognised(tmp_path: Path, files: dict[str, str], dev: str) -> None:
    lay_out(tmp_path, files)
    assert dev_server_plan(tmp_path, RepositoryConfig()).dev == dev


@pytest.mark.parametrize(
    ("script", "reloads"),
    [
        ("node server.js", False),
        ("nest start", False),
        ("node --watch server.js", True),
        ("tsx watch server.ts", True),
        ("vite", True),
        ("concurrently a b", True),
    ],
)
def test_a_server_without_a_watcher_is_known(tmp_path: Path, script: str, *, reloads: bool) -> None:
    lay_out(tmp_path, {"package.json": _package(start=script)})
    assert dev_server_plan(tmp_path, RepositoryConfig()).reloads == reloads


def test_a_repository_may_want_no_preview(tmp_path: Path) -> None:
    lay_out(tmp_path, EXPRESS)
    with pytest.raises(DevServerNotConfiguredError, match=r"^The repository's settings ask for no preview\.$"):
        dev_server_plan(tmp_path, RepositoryConfig(dev="none"))


def test_a_folder_that_leads_out_of_the_repository_is_not_looked_into(tmp_path: Path) -> None:
    lay_out(tmp_path / "elsewhere", EXPRESS)
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "web").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DevServerNotConfiguredError):
        dev_server_plan(tmp_path / "repository", RepositoryConfig())


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"apps/web/package.json": _package(dev="vite")}, "the `dev` script in apps/web/package.json"),
        ({"manage.py": ""}, "Django: manage.py"),
        ({"requirements.txt": "fastapi\n", "app/main.py": "api = FastAPI()\n"}, "ASGI: `api` in app/main.py"),
        ({"requirements.txt": "flask\n", "app.py": "web = Flask(__name__)\n"}, "Flask: `web` in app.py"),
        ({"index.html": ""}, "index.html"),
    ],
)
def test_a_plan_names_what_shows_it(tmp_path: Path, files: dict[str, str], why: str) -> None:
    lay_out(tmp_path, files)
    assert dev_server_plan(tmp_path, RepositoryConfig()).why == why


def test_a_folder_s_own_toolchain_is_installed(tmp_path: Path) -> None:
    lay_out(tmp_path, {"web/package.json": _package(dev="vite"), "web/.nvmrc": "20\n"})
    install = dev_server_plan(tmp_path, RepositoryConfig()).install or ""
    assert "get_toolchains.sh node@20 && cd web && npm install" in install

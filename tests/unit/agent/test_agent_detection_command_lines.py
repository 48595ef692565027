"""What a repository says in command lines: in a Procfile, devcontainer.json, Makefile, justfile or Taskfile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import HUGO, lay_out

from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.preview.detection.shell import commands
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.preview.plan import DevServerPlan

EXPRESS = json.dumps({"scripts": {"start": "node server.js"}})
COMPOSE = """x-all: &all {A: 1}
services:
  db: {image: postgres}
  job: {build: ., environment: *all, command: python job.py}
  app: {build: ., environment: *all, ports: ["80:80"], command: go run ./x}
"""
DOCKERFILE = """FROM a AS built
CMD ["node", "old.js"]
FROM c
ENTRYPOINT ["python"]
EXPOSE 80
CMD ["app.py"]
"""
STREAMLIT = '--server.address "$HOST" --server.port "$PORT" --server.headless true --server.runOnSave true'
DEVCONTAINER = """{
    // for Codespaces, see https://containers.dev
    "postAttachCommand": {"server": "streamlit run x.py"},
}"""
MAKEFILE = """PORT ?= 8000
dev: install
\t@echo hello
\t. venv/bin/activate && uvicorn shop:app --port $(PORT)
"""
TASKFILE = """version: '3'
vars: {SITE: docs}
tasks:
  serve:
    cmds:
      - hugo server -s {{.SITE}}
"""
VITE = json.dumps({"scripts": {"dev": "vite"}})


def _plan(work_tree: Path, files: dict[str, str]) -> DevServerPlan:
    lay_out(work_tree, files)
    return dev_server_plan(work_tree, RepositoryConfig())


@pytest.mark.parametrize(
    ("files", "dev", "why"),
    [
        (
            {"Procfile.dev": "web: bin/rails server -p 3000\ncss: bin/rails tailwindcss:watch\n", "bin/rails": ""},
            'bin/rails server -p 3000 --binding "$HOST" --port "$PORT"',
            "`web` in Procfile.dev",
        ),
        (
            {"Procfile": "release: ./migrate\nweb: gunicorn shop.wsgi --log-file -\n"},
            'gunicorn shop.wsgi --log-file - --bind "$HOST:$PORT"',
            "`web` in Procfile",
        ),
        ({"Procfile": "web: gunicorn app:app", "package.json": EXPRESS}, "npm run start", "the `start` script in"),
        ({"Procfile.dev": "page: ./serve-it\n"}, "./serve-it", "`page` in Procfile.dev"),
        (
            {".devcontainer/devcontainer.json": DEVCONTAINER},
            f"streamlit run x.py {STREAMLIT}",
            "`postAttachCommand` in .devcontainer/devcontainer.json",
        ),
        (
            {".devcontainer.json": '{"postStartCommand": ["npm", "start"]}', "package.json": EXPRESS},
            "npm run start",
            "`postStartCommand` in .devcontainer.json, which runs the `start` script in package.json",
        ),
        (
            {"Makefile": MAKEFILE},
            "uvicorn shop:app --port $PORT",
            "the `dev` target in Makefile",
        ),
        (
            {"Makefile": "PYTHON = python3\n\nrun:\n\tpoetry run $(PYTHON) manage.py runserver 0.0.0.0:8000\n"},
            "python3 manage.py runserver 0.0.0.0:8000",
            "the `run` target in Makefile",
        ),
        (
            {"Makefile": "serve:\n\tcd site && npm run dev\n", "site/package.json": VITE},
            'cd site && npm run dev -- --host "$HOST" --port "$PORT" --strictPort',
            "the `serve` target in Makefile, which runs the `dev` script in site/package.json",
        ),
        (
            {"justfile": 'app := "shop"\n\n# serve it\ndev mode="x": build\n    flask --app {{app}} run --debug\n'},
            'flask --app shop run --debug --host "$HOST" --port "$PORT"',
            "the `dev` target in justfile",
        ),
        (
            {"Taskfile.yml": TASKFILE},
            f"hugo server -s docs {HUGO}",
            "the `serve` target in Taskfile.yml",
        ),
        ({"Taskfile.yml": "tasks: {dev: go run ./web}\n", "go.mod": ""}, "go run ./web", "the `dev` target in"),
        (
            {"compose.yaml": COMPOSE},
            "go run ./x",
            "the command of `app` in compose.yaml",
        ),
        (
            {
                "docker-compose.yml": "services: {vote: {build: {context: ./vote/}}, db: {build: /x}}",
                "vote/Dockerfile": DOCKERFILE,
            },
            "cd vote && python app.py",
            "`CMD` in vote/Dockerfile",
        ),
        (
            {"Dockerfile": "FROM x\nEXPOSE 80\nCMD gunicorn \\\n    app:app\n"},
            'gunicorn  app:app --bind "$HOST:$PORT"',
            "`CMD` in Dockerfile",
        ),
    ],
)  # fmt: skip
def test_a_command_line_of_the_repository_is_run(tmp_path: Path, files: dict[str, str], dev: str, why: str) -> None:
    plan = _plan(tmp_path, files)
    assert plan.dev == dev
    assert plan.why.startswith(why)


@pytest.mark.parametrize(
    "files",
    [
        {"Makefile": "dev:\n\tdocker compose up\n"},
        {"Makefile": "run:\n\t./$(shell cat name)\n"},
        {"Makefile": "run: build\n\t./build/tool --help\n"},
        {"Makefile": "start = yes\nserve: ; true\n"},
        {"Procfile": "worker: celery -A shop worker\n"},
        {"Procfile.dev": "web: docker compose up web\n"},
        {".devcontainer/devcontainer.json": '{"postAttachCommand": "git status", "postStartCommand": 7}'},
        {".devcontainer/devcontainer.json": '{"postAttachCommand": "vite build"}'},
        {"Taskfile.yml": "tasks: {dev: {cmds: [{task: build}]}}\n"},
        {"Taskfile.yml": "- [\n"},
        {"Dockerfile": "FROM nginx\n"},
        {"Dockerfile": 'FROM x\nEXPOSE 80\nCMD ["/start.sh"]\n'},
        {"Dockerfile": "FROM x\nCMD python tool.py\n"},
        {"compose.yaml": "services: {a: {build: {context: 7}}, b: 3, c: {build: ../x}, d: {build: ., command: 5}}"},
        {"compose.yaml": "services: [a]"},
    ],
)
def test_a_line_that_serves_nothing_here_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(DevServerNotConfiguredError):
        _plan(tmp_path, files)


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"Makefile": "dev:\n\tcd web && PORT=4 npm run dev\n", "web/package.json": VITE}, "cd web && npm install"),
        (
            {".devcontainer.json": '{"postAttachCommand": "hugo server", "postCreateCommand": "npm i -g postcss"}'},
            "npm i -g postcss",
        ),
        ({".devcontainer.json": '{"postAttachCommand": "docsify serve", "postCreateCommand": "sudo apt install"}'}, ""),
        ({"Procfile": "web: bundle exec puma\n", "Gemfile": ""}, "bundle install"),
    ],
)
def test_what_a_line_needs_is_installed(tmp_path: Path, files: dict[str, str], install: str) -> None:
    plan = _plan(tmp_path, files)
    assert install in (plan.install or "")
    assert install or plan.install is None


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("python3 manage.py runserver 0.0.0.0:8000", 8000),
        ("php -S localhost:8080 -t public", 8080),
        ("http-server dist -p 8081", 8081),
        ("PORT=4000 node server.js", 4000),
        ("json-server --port=3001 db.json", 3001),
        ("node server.js", None),
        ("json-server --port 99999 db.json", None),
        ("jekyll serve --port $PORT", None),
    ],
)
def test_a_port_that_a_line_names_is_known(tmp_path: Path, line: str, port: int | None) -> None:
    assert _plan(tmp_path, {"Makefile": f"dev:\n\t{line.replace('$', '$$')}\n"}).port == port


def test_wrappers_are_looked_through() -> None:
    line = 'cross-env A=1 npx -p vite vite --port 1 && (cd x; bundle exec rails s) | tee log > y 2>&1 & "it\'s"'
    assert [command.words for command in commands(line)] == [
        ("vite", "--port", "1"),
        ("cd", "x"),
        ("rails", "s"),
        ("tee", "log", ">"),
        ("it's",),
    ]
    assert commands("echo 'unfinished") == []

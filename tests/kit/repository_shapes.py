# ruff: noqa: E501 - a table reads best with a shape in few lines
"""Repositories by their shape: the few files by which a dev server is found, and what is to be found.

Each stands for a kind of public repository. Nothing of those is copied here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.preview import detection

if TYPE_CHECKING:
    from collections.abc import Mapping

VENV = '"$HOME/.venv"/bin/python -m'
VITE = '--host "$HOST" --port "$PORT" --strictPort'
ADDRESS = '--host "$HOST" --port "$PORT"'
NEXT = '--hostname "$HOST" --port "$PORT"'
UVICORN = f"--reload {ADDRESS}"
FLASK = f"run {ADDRESS}"
HUGO = '--bind "$HOST" --port "$PORT" --baseURL / --appendPort=false'
GO_SERVER = "package main\n\nhttp.ListenAndServe(address, nil)\n"
RAILS_6_RACKUP = Path(detection.__file__).with_name("rails_6.ru")
APP_KEY = "{ ! grep -q '^APP_KEY=$' .env || php artisan key:generate; }"
SQLITE_FILE = (
    "{ ! grep -qs '^DB_CONNECTION=sqlite' .env || grep -q '^DB_DATABASE=.' .env || touch database/database.sqlite; }"
)
RAILS = 'bin/rails server --binding "$HOST" --port "$PORT"'
BUILD = "npm exec --no -- vite build"
OWN_PORTS = "env -u HOST -u PORT"
REQUIREMENTS = "-r requirements.txt"


@dataclass(frozen=True)
class Shape:
    """What a repository has, and what is to be found: `install` are parts of the command, in their order.

    `beside` are the processes by name, with their ports. `dev` is None where there is to be no preview.
    """

    name: str
    files: dict[str, str]
    dev: str | None
    install: tuple[str, ...] = ()
    beside: dict[str, int | None] = field(default_factory=dict)
    port: int | None = None
    reloads: bool = True
    prepare: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    toolchains: str = ""


def lay_out(work_tree: Path, files: Mapping[str, str]) -> None:
    """Write a repository's files."""
    for name, content in files.items():
        (work_tree / name).parent.mkdir(parents=True, exist_ok=True)
        (work_tree / name).write_text(content)


def package(*, more: Mapping[str, object] | None = None, **scripts: str) -> str:
    """Return a package.json with these scripts."""
    return json.dumps({"scripts": scripts, **(more or {})})


def named(scripts: Mapping[str, str]) -> str:
    """Return a package.json with scripts whose names are no names in Python."""
    return json.dumps({"scripts": dict(scripts)})


def workspaces(*patterns: str, **scripts: str) -> str:
    """Return the package.json at the root of a monorepo."""
    return package(more={"workspaces": list(patterns)}, **scripts)


LOCK = {"package-lock.json": '{"lockfileVersion": 3}'}
NODE = [
    Shape("Vite", {"package.json": package(dev="vite"), **LOCK}, f"npm run dev -- {VITE}", ("npm ci",)),
    Shape("Vite with a port of its own", {"package.json": package(dev="vite --port 8080")}, f"npm run dev -- {VITE}"),
    Shape("Nuxt", {"package.json": package(dev="nuxt dev")}, f"npm run dev -- {ADDRESS}"),
    Shape("Angular", {"package.json": package(start="ng serve", watch="ng build --watch")}, f"npm run start -- {ADDRESS}"),
    Shape("React scripts of another day", {"package.json": package(start="react-scripts start", more={"dependencies":
          {"react-scripts": "3.4.1"}}), **LOCK}, "npm run start", ("npm ci",), toolchains="node@16"),
    Shape("Astro, a newer Node.js", {"package.json": package(dev="astro dev", more={"engines": {"node": ">=26"}})},
          f"npm run dev -- {ADDRESS}", toolchains="node@26"),
    Shape("Bun runs the server, no lock file", {"package.json": package(dev="bun run --hot src/index.ts")},
          "bun run dev", ("bun@1", "bun install --no-save")),
    Shape("Next.js, pnpm", {"package.json": package(dev="next dev"), "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
          f"pnpm run dev {NEXT}", ("pnpm@10", "pnpm install --frozen-lockfile")),
    Shape("Next.js with a database that an example environment names",
          {"package.json": package(dev="next dev"), ".env.example": "DATABASE_URL='postgresql://me:pw@localhost:5432/shop?schema=public'\n"},
          f"npm run dev -- {NEXT}", services=("postgres",)),
    Shape("An API by Nx with a Prisma schema in its sources, no environment",
          {"package.json": package(start="nx serve"), "project.json": "{}", "nx.json": "{}",
           "src/prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'},
          "npm run start", services=("postgres",),
          prepare=("cd src && npx --no-install prisma generate", "cd src && npx --no-install prisma db push")),
    Shape("Next.js, an old pnpm", {"package.json": package(dev="next dev"), "pnpm-lock.yaml": "lockfileVersion: '6.0'\n"},
          f"pnpm run dev {NEXT}", ("pnpm@8",)),
    Shape("Next.js in the root for the examples' sake", {"package.json": package(start="next start"),
          "shop/package.json": package(dev="next dev")}, f"cd shop && npm run dev -- {NEXT}"),
    Shape("Next.js beside another tool", {"package.json": package(dev='concurrently "contentlayer dev" "next dev"')},
          "npm run dev"),
    Shape("React Router", {"package.json": package(dev="react-router dev")}, "npm run dev"),
    Shape("Eleventy", {"package.json": package(start="npx @11ty/eleventy --serve --quiet")}, "npm run start"),
    Shape("Create React App", {"package.json": package(start="cross-env PORT=4100 react-scripts start")}, "npm run start",
          port=4100),
    Shape("Hexo", {"package.json": package(build="hexo generate", server="hexo server")}, "npm run server"),
    Shape("Gatsby", {"package.json": package(develop="gatsby develop", start="gatsby develop")}, "npm run develop"),
    Shape("VitePress", {"package.json": named({"docs:dev": "vitepress dev docs"})}, "npm run docs:dev"),
    Shape("SvelteKit, a named pnpm", {"package.json": package(dev="vite dev", more={"packageManager": "pnpm@10.1.0"})},
          f"pnpm run dev {VITE}", ("pnpm@10.1.0",)),
    Shape("Hono on Node.js", {"package.json": package(dev="tsx watch src/index.ts")}, "npm run dev"),
    Shape("Hono on Bun", {"package.json": package(dev="bun run --hot src/index.ts"), "bun.lock": ""}, "bun run dev",
          ("bun@1",)),
    Shape("Wrangler", {"package.json": package(dev="wrangler dev")}, "npm run dev"),
    Shape("Nest", {"package.json": named({"start": "nest start", "start:dev": "nest start --watch"})},
          "npm run start:dev"),
    Shape("Express", {"package.json": package(start="node server.js"), ".nvmrc": "18\n"}, "npm run start", reloads=False,
          toolchains="node@18"),
    Shape("Express with Prisma", {"package.json": package(dev="nodemon"), "prisma/schema.prisma": ""}, "npm run dev",
          prepare=("npx --no-install prisma generate", "npx --no-install prisma db push")),
    Shape("TypeScript on Node.js", {"package.json": package(dev="tsc -w", start="node --watch dist/main.js")},
          "npm run start", beside={"dev": None}),
    Shape("Svelte by Rollup", {"package.json": package(build="rollup -c", dev="rollup -c -w", start="sirv public --no-clear")},
          f"npm run build; npm run start -- {VITE.replace('--strictPort', '--dev')}", beside={"dev": None}),
    Shape("Docusaurus, whose serve shows what was built", {"package.json": package(serve="docusaurus serve",
          start="docusaurus start", build="docusaurus build")}, "npm run start"),
    Shape("Storybook's library", {"package.json": package(dev="tsup --watch", build="tsup")}, None),
    Shape("Electron", {"package.json": package(start="npm test", test="jest")}, None),
    Shape("Two servers, one script", {"package.json": package(dev='concurrently "npm:server" "npm:client"',
          server="nodemon api.js", client="npm start --prefix web"), "web/package.json": package(start="vite")},
          f"{OWN_PORTS} npm run dev", ("npm install --no-package-lock", "(cd web && npm install --no-package-lock)")),
    Shape("A script that starts a server in another language", {"package.json": package(dev="cd api && flask run")},
          "npm run dev", ("npm install",), reloads=False),
    Shape("run-p", {"package.json": named({"dev": "run-p dev:*", "dev:css": "sass -w a b", "dev:11ty": "eleventy --serve"})},
          "npm run dev"),
    Shape("Turborepo, npm", {"package.json": workspaces("apps/*", dev="turbo run dev"), "apps/docs/package.json":
          package(dev="next dev -p 3001"), "apps/web/package.json": package(dev="next dev")}, f"{OWN_PORTS} npm run dev"),
    Shape("Turborepo, pnpm", {"package.json": package(dev="turbo dev", more={"packageManager": "pnpm@9.1.0"}),
          "pnpm-workspace.yaml": "packages: [apps/*]\n", "apps/web/package.json": package(dev="next dev")},
          "pnpm run dev", ("pnpm@9.1.0",)),
    Shape("A monorepo filtered to its site", {"package.json": workspaces("packages/*", dev="turbo run dev --filter=site"),
          "packages/site/package.json": package(dev="vite"), "packages/lib/package.json": package(dev="tsc -w")},
          "npm run dev"),
    Shape("Yarn's workspaces without a root script", {"package.json": workspaces("packages/*"), "yarn.lock": "# yarn\n",
          "packages/core/package.json": package(dev="tsc -w"), "packages/website/package.json": package(start="vite")},
          f"cd packages/website && yarn run start {VITE}", ("yarn@1", "yarn install --frozen-lockfile")),
    Shape("Lerna", {"lerna.json": '{"packages": ["modules/*"]}', "package.json": package(build="lerna run build"),
          "modules/app/package.json": package(start="react-scripts start")}, "cd modules/app && npm run start"),
    Shape("Nx by its targets", {"nx.json": "{}", "package.json": package(start="nx serve shop"), "apps/shop/project.json": "{}"},
          "npm run start"),
    Shape("Nx without scripts", {"nx.json": "{}", "package.json": package(), "package-lock.json": "{}",
          "apps/shop-e2e/project.json": '{"targets": {"e2e": {}}}',
          "apps/shop/project.json": '{"name": "shop", "targets": {"build": {}, "serve": {}}}',
          "apps/shop-api/project.json": '{"name": "shop-api", "targets": {"serve": {}}}'},
          "npm exec --no -- nx serve shop", ("npm ci",), beside={"shop-api": None}, port=5173),
    Shape("Nx by what its plugins infer", {"nx.json": json.dumps({"plugins": ["@nx/eslint/plugin", {"plugin":
          "@nx/vite/plugin", "options": {"buildTargetName": "build", "devTargetName": "vite:dev"}}]}),
          "package.json": package(), "packages/lib/package.json": package(), "packages/site/package.json":
          package(more={"name": "@acme/site"}), "packages/site/vite.config.ts": ""},
          "npm exec --no -- nx vite:dev @acme/site"),
    Shape("A template in a folder", {"README.md": "", "web/package.json": package(dev="vite"), "web/.node-version": "22"},
          f"cd web && npm run dev -- {VITE}", toolchains="node@22"),
    Shape("A front end with its Express API", {"client/package.json": package(start="react-scripts start", more={"proxy":
          "http://localhost:5001"}), "server/package.json": package(dev="nodemon")}, "cd client && npm run start",
          beside={"server": 5001}),
    Shape("A front end with its Go API", {"web/package.json": package(dev="vite"), "web/vite.config.ts":
          "proxy: { '/api': 'http://127.0.0.1:8081' }", "server/go.mod": "go 1.24\n", "server/main.go": GO_SERVER},
          f"cd web && npm run dev -- {VITE}", beside={"server": 8081}, reloads=False, toolchains="go@latest"),
    Shape("Deno", {"deno.json": '{"tasks": {"dev": "deno run -A --watch main.ts",},}'}, "deno task dev",
          toolchains="deno@latest"),
]  # fmt: skip
PYTHON = [
    Shape("Django", {"manage.py": "", "requirements.txt": "Django\n"}, f'{VENV} manage runserver "$HOST:$PORT"',
          (REQUIREMENTS,), prepare=('"$HOME/.venv"/bin/python manage.py migrate --noinput',)),
    Shape("Django with Vite", {"manage.py": "", "requirements.txt": "Django\n", "package.json": package(dev="vite")},
          f'{BUILD}; {VENV} manage runserver "$HOST:$PORT"', ("npm install",), beside={"vite": None},
          prepare=('"$HOME/.venv"/bin/python manage.py migrate --noinput',)),
    Shape("Django with django-vite", {"manage.py": "", "requirements.txt": "Django\ndjango_vite==3.1\n",
          "frontend/package.json": package(dev="vite")},
          f'(cd frontend && {BUILD}); DJANGO_VITE_DEV_MODE=False {VENV} manage runserver "$HOST:$PORT"',
          (REQUIREMENTS, "npm install"), prepare=('"$HOME/.venv"/bin/python manage.py migrate --noinput',), reloads=False),
    Shape("Flask with Vite", {"app.py": "app = Flask(__name__)\n", "requirements.txt": "flask\n",
          "package.json": package(dev="vite --port 5173 --host"), "bun.lock": ""},
          f"bun x vite build; FLASK_APP=app FLASK_DEBUG=1 {VENV} flask {FLASK}", (REQUIREMENTS, "bun install"), beside={"vite": None}),
    Shape("Django with Tailwind", {"manage.py": "", "package.json": package(dev="tailwindcss -o a.css --watch")},
          f'{VENV} manage runserver "$HOST:$PORT"', beside={"dev": None},
          prepare=('"$HOME/.venv"/bin/python manage.py migrate --noinput',)),
    Shape("Django with Procfile, PostgreSQL and an older Python", {"manage.py": "", "requirements.txt": "django\n",
          "Procfile": "web: gunicorn gettingstarted.wsgi\n", ".python-version": "3.9\n",
          "docker-compose.yml": "services: {db: {image: postgres:16}, web: {build: ., ports: ['80:80']}}"},
          f'{VENV} manage runserver "$HOST:$PORT"', ("--python=3.9", REQUIREMENTS), services=("postgres",),
          prepare=('"$HOME/.venv"/bin/python manage.py migrate --noinput',)),
    Shape("Django with PostgreSQL and Redis beside its development container", {"manage.py": "",
          "requirements.txt": "django\n", "docker-compose.yml": "services: {web: {build: .}}",
          ".devcontainer/docker-compose.yml": "services: {db: {image: postgres}, cache: {image: redis}}"},
          f'{VENV} manage runserver "$HOST:$PORT"', (REQUIREMENTS,), services=("postgres", "redis"),
          prepare=('"$HOME/.venv"/bin/python manage.py migrate --noinput',)),
    Shape("Django of another day", {"manage.py": "", "requirements.txt": "Django==3.2.25\n"},
          f'{VENV} manage runserver "$HOST:$PORT"', ("--python=3.10", REQUIREMENTS),
          prepare=('"$HOME/.venv"/bin/python manage.py migrate --noinput',)),
    Shape("Django in a folder", {"backend/manage.py": "", "backend/requirements/base.txt": "django\n"},
          f'cd backend && {VENV} manage runserver "$HOST:$PORT"', ("cd backend", "-r requirements/base.txt"),
          prepare=('cd backend && "$HOME/.venv"/bin/python manage.py migrate --noinput',)),
    Shape("Flask", {"requirements.txt": "Flask==3\n", "app.py": "app = Flask(__name__)\n"}, f"FLASK_APP=app FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Flask with a factory and a database to make", {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["flask"]',
          "flaskr/__init__.py": "def create_app():\n", "flaskr/db.py": '@click.command("init-db")'},
          f"FLASK_APP=flaskr FLASK_DEBUG=1 {VENV} flask {FLASK}", ("uv pip install",),
          prepare=('FLASK_APP=flaskr "$HOME/.venv"/bin/python -m flask init-db',)),
    Shape("Flask, named in .flaskenv", {"requirements.txt": "flask\n", ".flaskenv": "FLASK_APP=microblog.py\n"},
          f"FLASK_APP=microblog.py FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Flask, named in .flaskenv beside what it was", {"requirements.txt": "flask\n",
          ".flaskenv": "# FLASK_APP=old.py\nFLASK_APP='web:create_app()'\n"},
          f"FLASK_APP='web:create_app()' FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Flask, named in a README", {"requirements.txt": "flask\n", "lunch/web.py": "", "app.py": "app = Flask(__name__)\n",
          "README.md": "```\n$ export FLASK_APP=dinner.py\n$ export FLASK_APP=lunch.web:app\n```\n"},
          f"FLASK_APP=lunch.web:app FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Flask, named in a Dockerfile", {"requirements.txt": "flask\n", "web.py": "", "Dockerfile": "ENV FLASK_APP web.py\n"},
          f"FLASK_APP=web.py FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Flask with a factory that takes a name", {"requirements.txt": "flask\n", "web/__init__.py": "def create_app(name):\n",
          "lunch.py": "app = create_app('default')\n"}, f"FLASK_APP=lunch FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Flask with a factory that could do without", {"requirements.txt": "flask\n",
          "web/__init__.py": "def create_app(given: dict[str, str] | None = None) -> Flask:\n",
          "lunch.py": "app = create_app('default')\n"}, f"FLASK_APP=web FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Flask with Flask-Script", {"requirements.txt": "flask\n", "web/__init__.py": "def create_app(name):\n",
          "manage.py": "from flask_script import Manager\napp = create_app('default')\n"},
          f"FLASK_APP=manage FLASK_DEBUG=1 {VENV} flask {FLASK}"),
    Shape("Litestar with a manage.py of its own", {"requirements.txt": "litestar\n", "app.py": "app = Litestar([])\n",
          "manage.py": '"""As in Django."""\nfrom cli import run_cli\n'}, f"{VENV} litestar --app app:app run --reload {ADDRESS}"),
    Shape("NiceGUI's own site", {"pyproject.toml": '[tool.poetry]\nname = "nicegui"\n', "main.py": "from nicegui import ui\n"},
          f"{VENV} main"),
    Shape("A program in a folder with its requirements", {"Makefile": "run: venv\n\t. src/.venv/bin/activate \\\n\t&& python src/run.py\n",
          "src/run.py": "", "src/requirements.txt": "flask\n"}, "python src/run.py", ("cd src && sh", "-r requirements.txt"), reloads=False),
    Shape("Flask, required for production", {"requirements/prod.txt": "Flask\n", "autoapp.py": "app = create_app(C)\n"},
          f"FLASK_APP=autoapp FLASK_DEBUG=1 {VENV} flask {FLASK}", ("-r requirements/prod.txt",)),
    Shape("Flask behind Procfile alone", {"Procfile": "web: gunicorn shop.entry:app -b 0.0.0.0:$PORT\n"},
          "gunicorn shop.entry:app -b 0.0.0.0:$PORT", reloads=False),
    Shape("FastAPI", {"requirements.txt": "fastapi[standard]\n", "main.py": "app = FastAPI()\n"}, f"{VENV} uvicorn main:app {UVICORN}"),
    Shape("FastAPI, Poetry", {"pyproject.toml": '[tool.poetry.dependencies]\nfastapi = "*"', "poetry.lock": "",
          "app/main.py": "app = get_application()\n", "alembic.ini": ""}, f"{VENV} uvicorn app.main:app {UVICORN}",
          ("poetry install",), prepare=('"$HOME/.venv"/bin/python -m alembic upgrade head',)),
    Shape("FastAPI, uv", {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["fastapi"]', "uv.lock": "",
          "src/shop/main.py": "app = fastapi.FastAPI()\n"}, f"PYTHONPATH=src {VENV} uvicorn shop.main:app {UVICORN}", ("uv sync --frozen",)),
    Shape("FastAPI with a front end", {"frontend/package.json": package(dev="vite"), "package.json":
          workspaces("frontend", dev="npm run dev -w frontend"), "backend/requirements.txt": "fastapi\n",
          "backend/app/main.py": "app = FastAPI()\n", "compose.yml": "services: {db: {image: postgres}, q: {image: redis}}"},
          "npm run dev", ("npm install", "cd backend && ", REQUIREMENTS), beside={"backend": 8000},
          services=("postgres", "redis")),
    Shape("Starlette", {"requirements.txt": "starlette\n", "app.py": "app = Starlette()\n"}, f"{VENV} uvicorn app:app {UVICORN}"),
    Shape("Quart", {"requirements.txt": "quart\n", "app.py": "app = Quart(__name__)\n"}, f"{VENV} quart --app app:app run {ADDRESS}"),
    Shape("Litestar", {"requirements.txt": "litestar[standard]\n", "app.py": "app = Litestar([])\n"},
          f"{VENV} litestar --app app:app run --reload {ADDRESS}"),
    Shape("Streamlit", {"requirements.txt": "streamlit\n", "streamlit_app.py": "import streamlit as st\n"},
          f'{VENV} streamlit run streamlit_app.py --server.address "$HOST" --server.port "$PORT" --server.headless true --server.runOnSave true'),
    Shape("Streamlit by devcontainer.json", {".devcontainer/devcontainer.json": '{"postAttachCommand": {"server": '
          '"streamlit run Hello.py --server.enableCORS false"}, "forwardPorts": [8501], /* a note */ }'},
          'streamlit run Hello.py --server.enableCORS false --server.address "$HOST" --server.port "$PORT" --server.headless true --server.runOnSave true'),
    Shape("Gradio", {"requirements.txt": "gradio\n", "app.py": "import gradio\n"},
          f'GRADIO_SERVER_NAME="$HOST" GRADIO_SERVER_PORT="$PORT" {VENV} app', reloads=False),
    Shape("Dash", {"requirements.txt": "dash\n", "app.py": "from dash import Dash\n"}, f"{VENV} app", reloads=False),
    Shape("NiceGUI", {"requirements.txt": "nicegui\n", "main.py": "from nicegui import ui\n"}, f"{VENV} main"),
    Shape("MkDocs beside an asset watcher", {"mkdocs.yml": "", "package.json": package(start="node tools/build --watch")},
          f'{VENV} mkdocs serve --dev-addr "$HOST:$PORT"'),
    Shape("Pipenv", {"Pipfile": '[packages]\nflask = "*"\n', "app.py": "app = Flask(__name__)\n"},
          f"FLASK_APP=app FLASK_DEBUG=1 {VENV} flask {FLASK}", ("pipenv install --dev",)),
    Shape("A Makefile that knows", {"Makefile": "serve:\n\tpoetry run python -m shop.web --port $(PORT)\nrun:\n\tpython3 web.py\n"},
          "python3 web.py", reloads=False),
    Shape("A Python library", {"pyproject.toml": '[project]\nname = "x"\n', "x/__init__.py": "", "tests/test_x.py": ""}, None),
]  # fmt: skip
OTHERS = [
    Shape("Rails", {"bin/rails": "", "Gemfile": 'ruby "3.3.0"\n', "db/schema.rb": ""}, RAILS, ("bundle install",),
          prepare=("bin/rails db:prepare",), toolchains="ruby@3.3.0"),
    Shape("Rails, PostgreSQL", {"bin/rails": "", "Gemfile": 'gem "pg"\n', "Gemfile.lock": "    railties (8.1.2)\n",
          "config/database.yml": "default: &default\n  adapter: postgresql\n", "db/seeds.rb": ""}, RAILS, ("bundle install",),
          prepare=("bin/rails db:prepare",), services=("postgres",), toolchains="ruby@3.4"),
    Shape("Rails 6, SQLite", {"bin/rails": "", "Gemfile": "", "Gemfile.lock": "    railties (6.1.7)\n", "db/seeds.rb": "",
          "config/database.yml": "default: &default\n  adapter: sqlite3\n"}, f"{RAILS} --config {RAILS_6_RACKUP}",
          ("bundle install",), prepare=("bin/rails db:prepare", "bin/rails db:seed"), toolchains="ruby@3.4"),
    Shape("Rails with Vite Ruby", {"bin/rails": "", "bin/vite": "", "Gemfile": "gem 'vite_rails', '~> 3'\n",
          "package.json": package(more={"devDependencies": {"vite": "^7"}}), "config/vite.json": "{}"}, RAILS,
          ("bundle install", "npm install"), beside={"vite": None}, toolchains="ruby@3.4"),
    Shape("Rails with Procfile.dev", {"bin/rails": "", "Gemfile": "", "Procfile.dev":
          "web: env RUBY_DEBUG_OPEN=true bin/rails server\njs: yarn build --watch\ncss: bin/rails tailwindcss:watch\n"},
          'env RUBY_DEBUG_OPEN=true bin/rails server --binding "$HOST" --port "$PORT"', ("bundle install",),
          beside={"js": None, "css": None}, toolchains="ruby@3.4"),
    Shape("Sinatra", {"Gemfile": "", "Procfile": "web: bundle exec ruby web.rb -p $PORT\n"}, "bundle exec ruby web.rb -p $PORT",
          ("bundle install",), reloads=False, toolchains="ruby@3.4"),
    Shape("Jekyll", {"Gemfile": 'gem "jekyll"\n', "_config.yml": ""}, f"bundle exec jekyll serve {ADDRESS}",
          ("bundle install",), toolchains="ruby@3.4"),
    Shape("Laravel", {"artisan": "", "composer.json": "{}", "package.json": package(dev="vite")},
          f"{BUILD}; ASSET_URL=/. php -d variables_order=GPCS artisan serve {ADDRESS}", ("npm install", "composer install"), beside={"vite": None}, prepare=(APP_KEY,
          SQLITE_FILE, "php artisan migrate --force")),
    Shape("Laravel 10, MySQL", {"artisan": "", "composer.json": "{}", ".env.example": "APP_KEY=\nDB_CONNECTION=mysql\n"
          "DB_HOST=127.0.0.1\nDB_PORT=3306\nDB_DATABASE=laravel\nDB_USERNAME=root\nDB_PASSWORD=\n", "database/seeders/DatabaseSeeder.php": ""},
          f"ASSET_URL=/. php -d variables_order=GPCS artisan serve {ADDRESS}", ("composer install",), prepare=(APP_KEY, SQLITE_FILE, "php artisan migrate --force", "php artisan db:seed --force"), services=("mysql",)),
    Shape("PHP without a framework", {"public/index.php": "<?php"}, 'php -S "$HOST:$PORT" -t public'),
    Shape("Phoenix", {"mix.exs": '{:phoenix, "~> 1.8"}'}, "mix phx.server", ("mix deps.get",)),
    Shape("Spring Boot", {"mvnw": "", "pom.xml": "<artifactId>spring-boot-starter-parent</artifactId>"},
          "sh mvnw spring-boot:run", reloads=False, toolchains="java@21"),
    Shape("Go", {"go.mod": "module x\n\ngo 1.24\n", "main.go": GO_SERVER}, "go run .", ("go mod download",), reloads=False,
          toolchains="go@1.24"),
    Shape("Go by a Taskfile", {"go.mod": "module x\n", "Taskfile.yml": "tasks: {dev: {cmds: [go run ./cmd/web]}}"},
          "go run ./cmd/web", ("go mod download",), reloads=False, toolchains="go@latest"),
    Shape("Several services of a Compose file", {"docker-compose.yml": "services: {vote: {build: ./vote, ports: ['80:80']}, "
          "result: {build: ./result}, worker: {build: ./worker}, redis: {image: redis:alpine}, db: {image: postgres:15}}",
          "vote/requirements.txt": "Flask\n", "vote/app.py": "app = Flask(__name__)\n",
          "result/package.json": package(start="node server.js")}, f"cd vote && FLASK_APP=app FLASK_DEBUG=1 {VENV} flask {FLASK}",
          services=("redis", "postgres")),
    Shape("Hugo by a justfile", {"justfile": "dev:\n    hugo server -D\n"}, f"hugo server -D {HUGO}", toolchains="hugo-extended@latest"),
    Shape("A static page", {"index.html": "<h1>Hello</h1>"}, 'exec python3 -m http.server --bind "$HOST" "$PORT"'),
    Shape("A README alone", {"README": "Hello World!\n"}, None),
    Shape("Terraform", {"main.tf": "", "Makefile": "run:\n\tterraform apply\n"}, None),
    Shape("A tool in an image", {"Dockerfile": "FROM python\nCMD python tool.py\n"}, None),
]  # fmt: skip

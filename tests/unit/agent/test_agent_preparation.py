"""What is done between the installation and the dev server, as the repository's files show it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.preview.env_files import make_env_files
from cloud_agent_runner.preview.preparation import Step, preparation

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = '"$HOME/.venv"/bin/python'
FLASK_APP = f'FLASK_APP=flaskr FLASK_DEBUG=1 {PYTHON} -m flask run --host "$HOST" --port "$PORT"'
FILLED = "```bash\n./manage.py migrate\n./manage.py load_initial_data\n./manage.py runserver\n```\n"
RAILS = {"bin/rails": "", "db/seeds.rb": ""}
SQLITE_FILE = (
    "{ ! grep -qs '^DB_CONNECTION=sqlite' .env || grep -q '^DB_DATABASE=.' .env || touch database/database.sqlite; }"
)
INIT_DB = '@click.command("init-db")\ndef init_db_command():\n    ...\n'
PRISMA_CONFIG = """\
export default defineConfig({
  schema: "db/schema",
  migrations: { path: "db/migrations", seed: "tsx db/seed.ts" },
})
"""


def _repository(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "dev", "steps"),
    [
        ({"manage.py": ""}, "", [Step(f"{PYTHON} manage.py migrate --noinput")]),
        ({"backend/manage.py": ""}, "", [Step(f"cd backend && {PYTHON} manage.py migrate --noinput")]),
        (
            {"manage.py": "", "shop/base/management/commands/load_initial_data.py": "", "readme.md": FILLED},
            "",
            [
                Step(f"{PYTHON} manage.py migrate --noinput"),
                Step(f"{PYTHON} manage.py load_initial_data", is_once=True),
            ],
        ),
        (
            {"api/manage.py": "", "api/shop/management/commands/seed_db.py": "", "README.md": "`manage.py seed_db`"},
            "",
            [
                Step(f"cd api && {PYTHON} manage.py migrate --noinput"),
                Step(f"cd api && {PYTHON} manage.py seed_db", is_once=True),
            ],
        ),
        (
            {
                "manage.py": "",
                "shop/management/commands/seed.py": "",
                "shop/management/commands/reset_demo.py": "",
                "README": "./manage.py reset_demo\n./manage.py seed --all\n./manage.py load_data\n",
            },
            "",
            [Step(f"{PYTHON} manage.py migrate --noinput")],
        ),
        ({"migrations/alembic.ini": ""}, FLASK_APP, [Step(f"FLASK_APP=flaskr {PYTHON} -m flask db upgrade")]),
        ({"flaskr/db.py": INIT_DB}, FLASK_APP, [Step(f"FLASK_APP=flaskr {PYTHON} -m flask init-db", is_once=True)]),
        ({"flaskr/db.py": INIT_DB}, "npm run dev", []),
        ({"alembic.ini": ""}, "", [Step(f"{PYTHON} -m alembic upgrade head")]),
        (
            {"prisma/schema.prisma": "", "package.json": '{"prisma": {"seed": "node seed.js"}}'},
            "",
            [
                Step("npx --no-install prisma generate"),
                Step("npx --no-install prisma db push"),
                Step("npx --no-install prisma db seed", is_once=True),
            ],
        ),
        (
            {"api/prisma/schema.prisma": "", "api/prisma/migrations/migration_lock.toml": ""},
            "",
            [
                Step("cd api && npx --no-install prisma generate"),
                Step("cd api && npx --no-install prisma migrate deploy"),
            ],
        ),
        (
            {"apps/api/manage.py": "", "packages/db/prisma/schema.prisma": "", "services/orders/alembic.ini": ""},
            "",
            [
                Step(f"cd apps/api && {PYTHON} manage.py migrate --noinput"),
                Step("cd packages/db && npx --no-install prisma generate"),
                Step("cd packages/db && npx --no-install prisma db push"),
                Step(f"cd services/orders && {PYTHON} -m alembic upgrade head"),
            ],
        ),
        ({"apps/node_modules/manage.py": "", "apps/api/inner/manage.py": "", "docs/x/manage.py": ""}, "", []),
        (
            {"prisma.config.ts": PRISMA_CONFIG, "db/migrations/migration_lock.toml": ""},
            "",
            [
                Step("npx --no-install prisma generate"),
                Step("npx --no-install prisma migrate deploy"),
                Step("npx --no-install prisma db seed", is_once=True),
            ],
        ),
        (
            {"web/package.json": '{"prisma": {"schema": "db/x.prisma"}}', "web/db/migrations/migration_lock.toml": ""},
            "",
            [
                Step("cd web && npx --no-install prisma generate"),
                Step("cd web && npx --no-install prisma migrate deploy"),
            ],
        ),
        ({"drizzle.config.ts": "", "drizzle/0000_dish.sql": ""}, "", [Step("npx --no-install drizzle-kit migrate")]),
        (
            {"packages/db/drizzle.config.ts": "{ out: './m' }", "packages/db/m/0/migration.sql": ""},
            "",
            [Step("cd packages/db && npx --no-install drizzle-kit migrate")],
        ),
        ({"drizzle.config.json": '{"out": "m"}'}, "", [Step("npx --no-install drizzle-kit push")]),
        ({"drizzle.config.ts": "export default {\n  driver: 'd1-http',\n}"}, "", []),
        (
            {"knexfile.js": "", "seeds/dishes.js": ""},
            "",
            [Step("npx --no-install knex migrate:latest"), Step("npx --no-install knex seed:run", is_once=True)],
        ),
        ({"bin/rails": "", "db/schema.rb": ""}, "", [Step("bin/rails db:prepare")]),
        (
            {**RAILS, "Gemfile.lock": "GEM\n  specs:\n    railties (6.1.7)\n"},
            "",
            [Step("bin/rails db:prepare"), Step("bin/rails db:seed", is_once=True)],
        ),
        ({**RAILS, "Gemfile.lock": "GEM\n  specs:\n    railties (8.1.2)\n"}, "", [Step("bin/rails db:prepare")]),
        ({"bin/rails": "", "db/x": "", "Gemfile.lock": "    railties (6.1.7)\n"}, "", [Step("bin/rails db:prepare")]),
        (
            {"artisan": ""},
            "",
            [
                Step("{ ! grep -q '^APP_KEY=$' .env || php artisan key:generate; }", is_once=True),
                Step(SQLITE_FILE, is_once=True),
                Step("php artisan migrate --force"),
            ],
        ),
        ({"node_modules/x/manage.py": "", ".hidden/manage.py": "", "index.html": ""}, "", []),
        ({"package.json": "[1]", "prisma/schema.txt": ""}, "", []),
    ],
)  # fmt: skip
def test_each_framework_is_prepared_by_its_own_command(
    tmp_path: Path, files: dict[str, str], dev: str, steps: list[Step]
) -> None:
    assert list(preparation(_repository(tmp_path, files), dev).steps) == steps


@pytest.mark.parametrize(
    ("environment", "files"),
    [
        ("DB_CONNECTION=sqlite\n# DB_DATABASE=laravel\n", ["database.sqlite"]),
        ("DB_CONNECTION=sqlite\nDB_DATABASE=/tmp/lunch.sqlite\n", []),
        ("DB_CONNECTION=mysql\n", []),
        (None, []),
    ],
)
def test_laravels_file_of_sqlite_is_made_where_it_has_its_usual_name(
    tmp_path: Path, environment: str | None, files: list[str]
) -> None:
    (tmp_path / "database").mkdir()
    if environment is not None:
        (tmp_path / ".env").write_text(environment)
    subprocess.run(SQLITE_FILE, shell=True, cwd=tmp_path, check=True)  # noqa: S602 - as the agent does
    assert [path.name for path in (tmp_path / "database").iterdir()] == files


def test_another_migration_is_another_preparation(tmp_path: Path) -> None:
    before = preparation(_repository(tmp_path, {"manage.py": "", "shop/migrations/0001_initial.py": ""}), "")
    assert before.migrations == {"0001_initial.py"}
    _repository(tmp_path, {"shop/views.py": "", "shop/migrations/README": ""})
    assert preparation(tmp_path, "") == before
    assert preparation(_repository(tmp_path, {"shop/migrations/0002_dish.py": ""}), "") != before


def test_an_env_file_is_made_of_its_example_and_no_other_is_touched(tmp_path: Path) -> None:
    files = {".env.example": "A=1\n", "web app/.env.sample": "B=2\n", "api/.env.example": "C=3\n", "api/.env": "C=4\n"}
    command = make_env_files(_repository(tmp_path, files))
    assert command is not None
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)  # noqa: S602 - as the agent does
    assert [(tmp_path / name).read_text() for name in (".env", "web app/.env", "api/.env")] == [
        "A=1\n",
        "B=2\n",
        "C=4\n",
    ]
    assert make_env_files(tmp_path) is None


@pytest.mark.parametrize(
    ("line", "is_made_up"),
    [
        ('DJANGO_SECRET_KEY=""', True),
        ("COOKIE_SECRET=", True),
        ("export JWT_REFRESH_SECRET= # openssl rand -hex 32", True),
        ("SECRET=''\r", True),
        ("NEXTAUTH_SECRET=lunch", False),
        ("SECRET_KEY=# lunch", True),
        ("STRIPE_SECRET_KEY=", False),
        ("AUTH_GITHUB_SECRET=", False),
        ("AWS_SECRET_ACCESS_KEY=", False),
        ("APP_KEY=", False),
        ("# SECRET_KEY=", False),
    ],
)
def test_a_secret_of_the_applications_own_that_an_example_leaves_empty_is_made_up(
    tmp_path: Path, line: str, *, is_made_up: bool
) -> None:
    name = line.partition("=")[0]
    command = make_env_files(_repository(tmp_path, {".env.example": f"A=1\n{line}\nB=2"}))
    assert command is not None
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)  # noqa: S602 - as the agent does
    first, made, last = (tmp_path / ".env").read_text().split("\n", 2)
    assert (first, last) == ("A=1", "B=2\n")
    assert re.fullmatch(rf"{name}=[0-9a-f]{{64}}", made) if is_made_up else made == line


def test_without_awk_an_example_is_copied(tmp_path: Path) -> None:
    command = make_env_files(_repository(tmp_path, {".env.example": "SECRET=\n"}))
    assert command is not None
    (tmp_path / "bin").mkdir()
    for program in ("sh", "cp"):
        (tmp_path / "bin" / program).symlink_to(f"/bin/{program}")
    subprocess.run(command, shell=True, cwd=tmp_path, check=True, env={"PATH": str(tmp_path / "bin")})  # noqa: S602 - as the agent does
    assert (tmp_path / ".env").read_text() == "SECRET=\n"


@pytest.mark.parametrize(
    ("example", "made"),
    [
        ("env.example", ".env"),
        ("sample.env", ".env"),
        ("apps/web/.env-example", "apps/web/.env"),
        (".env.development.example", ".env"),
        (".env.example.local", ".env.local"),
        ("packages/db/.env.template", "packages/db/.env"),
    ],
)
def test_examples_have_many_names_in_all_folders_of_applications(tmp_path: Path, example: str, made: str) -> None:
    command = make_env_files(_repository(tmp_path, {example: ""}))
    assert command is not None
    assert command.endswith(f"make_env_file.sh {example} {made}")


def test_a_link_out_of_the_repository_is_no_example(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("SECRET=1\n")
    work_tree = tmp_path / "repository"
    work_tree.mkdir()
    (work_tree / ".env.example").symlink_to(outside)
    assert make_env_files(work_tree) is None

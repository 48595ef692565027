"""What has to be done between the installation and the dev server: databases are made, filled and brought up to date.

Each framework has a command for that, run where the files show that it is used. Where there is nothing to do it does
nothing, except for seeds, which are run once a session.
"""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.database_schemas import drizzle, prisma
from cloud_agent_runner.preview.django_projects import is_djangos
from cloud_agent_runner.preview.folders import at, folders, names_in
from cloud_agent_runner.repository.file import has_repository_file, read_repository_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PYTHON = '"$HOME/.venv"/bin/python'
_FILES_LOOKED_AT = 2_000
_MODULES_LOOKED_AT = 100
_MIGRATION = re.compile(r"\.(?:py|rb|php|sql|js|ts|mjs|cjs)$")
_INIT_DB = re.compile(r"""\.command\(\s*["'](init[-_]db|create[-_]db|db[-_]init)["']""")
_README = re.compile(r"readme(?:\.(?:md|rst|txt))?", re.IGNORECASE)
# Alone on its line, without arguments: with them it may well be an example.
_MANAGE = re.compile(r"manage\.py[ \t]+(?P<name>\w+)[ \t`]*$", re.MULTILINE)
_FILLS = re.compile(r"load\w*(?:data|fixtures?|demo|samples?)|seed(?:_\w+)?|populate(?:_\w+)?")
_BEFORE_RAILS_7 = re.compile(r"^    railties \([56]\.", re.MULTILINE)
_SQLITE_FILE = (
    "{ ! grep -qs '^DB_CONNECTION=sqlite' .env || grep -q '^DB_DATABASE=.' .env || touch database/database.sqlite; }"
)
_FLASK_APP = re.compile(r"(?:\bFLASK_APP=|--app )(\S+)")


@dataclass(frozen=True)
class Step:
    """A command for the shell, in the work tree. One that `is_once` is run once a session: it adds data each time."""

    command: str
    is_once: bool = False


@dataclass(frozen=True)
class Preparation:
    """The steps, in order, and the names of the migrations that are there: with another one, they're run again."""

    steps: tuple[Step, ...] = ()
    migrations: frozenset[str] = frozenset()


NO_PREPARATION = Preparation()


def preparation(work_tree: Path, dev: str) -> Preparation:
    """Return how the databases of what the commands in `dev` serve are prepared."""
    places = list(folders(work_tree))
    steps = [step for folder in places for rule in _RULES for step in rule(work_tree, folder, dev)]
    names = (name for folder in places for name in _migrations(work_tree / folder))
    return Preparation(tuple(steps), frozenset(islice(names, _FILES_LOOKED_AT)) if steps else frozenset())


def _django(work_tree: Path, folder: str, _: str) -> Iterator[Step]:
    if is_djangos(work_tree, at(folder, "manage.py")):
        yield Step(_in(folder, f"{_PYTHON} manage.py migrate --noinput"))
        if command := _fills_database(work_tree, folder):
            yield Step(_in(folder, f"{_PYTHON} manage.py {command}"), is_once=True)


def _flask(work_tree: Path, folder: str, dev: str) -> Iterator[Step]:
    app = _FLASK_APP.search(dev)
    flask = f"{f'FLASK_APP={app[1]} ' if app else ''}{_PYTHON} -m flask"
    if has_repository_file(work_tree, at(folder, "migrations/alembic.ini")):
        yield Step(_in(folder, f"{flask} db upgrade"))
    elif app and not folder and (command := _init_db(work_tree)):
        yield Step(f"{flask} {command}", is_once=True)


def _alembic(work_tree: Path, folder: str, _: str) -> Iterator[Step]:
    if folder != "migrations" and has_repository_file(work_tree, at(folder, "alembic.ini")):
        yield Step(_in(folder, f"{_PYTHON} -m alembic upgrade head"))


def _prisma(work_tree: Path, folder: str, _: str) -> Iterator[Step]:
    if found := prisma(work_tree, folder):
        yield Step(_in(folder, "npx --no-install prisma generate"))
        has_migrations = has_repository_file(work_tree, at(found.migrations, "migration_lock.toml"))
        yield Step(_in(folder, f"npx --no-install prisma {'migrate deploy' if has_migrations else 'db push'}"))
        if found.has_seeds:
            yield Step(_in(folder, "npx --no-install prisma db seed"), is_once=True)


def _drizzle(work_tree: Path, folder: str, _: str) -> Iterator[Step]:
    if found := drizzle(work_tree, folder):
        files = [at(found.migrations, name) for name in names_in(work_tree / found.migrations)]
        has_migrations = any(
            file.endswith(".sql") or has_repository_file(work_tree, at(file, "migration.sql")) for file in files
        )
        yield Step(_in(folder, f"npx --no-install drizzle-kit {'migrate' if has_migrations else 'push'}"))


def _knex(work_tree: Path, folder: str, _: str) -> Iterator[Step]:
    if any(has_repository_file(work_tree, at(folder, f"knexfile.{kind}")) for kind in ("js", "cjs", "mjs", "ts")):
        yield Step(_in(folder, "npx --no-install knex migrate:latest"))
        if (work_tree / folder / "seeds").is_dir():
            yield Step(_in(folder, "npx --no-install knex seed:run"), is_once=True)


def _rails(work_tree: Path, folder: str, _: str) -> Iterator[Step]:
    if has_repository_file(work_tree, at(folder, "bin/rails")) and (work_tree / folder / "db").is_dir():
        yield Step(_in(folder, "bin/rails db:prepare"))
        # From Rails 7.0 on it fills an empty database itself. Before, only one that it has made: a service's is there
        # already, and a file of SQLite once somebody connects.
        locked = read_repository_text(work_tree, at(folder, "Gemfile.lock"))
        if _BEFORE_RAILS_7.search(locked) and has_repository_file(work_tree, at(folder, "db/seeds.rb")):
            yield Step(_in(folder, "bin/rails db:seed"), is_once=True)


def _laravel(work_tree: Path, folder: str, _: str) -> Iterator[Step]:
    if has_repository_file(work_tree, at(folder, "artisan")):
        yield Step(_in(folder, "{ ! grep -q '^APP_KEY=$' .env || php artisan key:generate; }"), is_once=True)
        # Which Laravel itself makes from 9 on, but only for `migrate`, and not in every case.
        yield Step(_in(folder, _SQLITE_FILE), is_once=True)
        yield Step(_in(folder, "php artisan migrate --force"))
        if has_repository_file(work_tree, at(folder, "database/seeders/DatabaseSeeder.php")):
            yield Step(_in(folder, "php artisan db:seed --force"), is_once=True)


_RULES = (_django, _flask, _alembic, _prisma, _drizzle, _knex, _rails, _laravel)


def _init_db(work_tree: Path) -> str | None:
    """Return the name of the app's own command that makes its database, as Flask's tutorial has one."""
    modules = (path for pattern in ("*.py", "*/*.py") for path in work_tree.glob(pattern))
    for module in islice(modules, _MODULES_LOOKED_AT):
        found = _INIT_DB.search(read_repository_text(work_tree, str(module.relative_to(work_tree))))
        if found:
            return found[1]
    return None


def _fills_database(work_tree: Path, folder: str) -> str | None:
    """Return a Django project's own command that fills its database, if a README says to run it."""
    places = dict.fromkeys(("", folder))
    files = (at(place, name) for place in places for name in sorted(names_in(work_tree / place)))
    readmes = (file for file in files if _README.fullmatch(file.rpartition("/")[2]))
    said = (command["name"] for file in readmes for command in _MANAGE.finditer(read_repository_text(work_tree, file)))
    return next((name for name in said if _FILLS.fullmatch(name) and _is_command(work_tree / folder, name)), None)


def _is_command(folder: Path, name: str) -> bool:
    places = (f"{parents}management/commands/{name}.py" for parents in ("*/", "*/*/"))
    return any(True for place in places for _ in folder.glob(place))


def _migrations(folder: Path) -> Iterator[str]:
    """Yield the names of the migrations in the folder and its folders, wherever frameworks keep them."""
    for pattern in ("migrations/*", "*/migrations/*", "migrations/versions/*", "alembic/versions/*", "db/migrate/*",
                    "database/migrations/*", "prisma/migrations/*/*", "drizzle/*", "drizzle/*/*"):  # fmt: skip
        with suppress(OSError):
            yield from (path.name for path in folder.glob(pattern) if _MIGRATION.search(path.name))


def _in(folder: str, command: str) -> str:
    return f"cd {shlex.quote(folder)} && {command}" if folder else command

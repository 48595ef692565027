"""The services that a repository needs by what its files say.

These are its Compose file, environments, schemas of Prisma and Drizzle, the settings of Rails' and Laravel's databases,
and Procfiles.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cloud_agent_runner.preview.database_schemas import drizzle, prisma, prisma_texts
from cloud_agent_runner.preview.env_files import env_texts
from cloud_agent_runner.preview.folders import folders
from cloud_agent_runner.preview.services.compose import services_in_compose
from cloud_agent_runner.preview.services.own_servers import servers_in_procfiles
from cloud_agent_runner.preview.services.service import Account, Wanted, url_scheme
from cloud_agent_runner.repository.file import read_repository_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cloud_agent_runner.repository.config import ServiceName

_FILES_LOOKED_AT = 50
# One on this machine, at the usual port: what is elsewhere, or commented out, isn't what a session would run.
_URL = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?\w+[ \t]*=[ \t]*["']?(?P<kind>postgres|mysql|mariadb|redis)(?:ql)?(?:\+\w+)?://"""
    r"""(?:(?P<user>[^\s:@/"']*)(?::(?P<password>[^\s@/"']*))?@)?"""
    r"""(?:localhost|127\.0\.0\.1)(?::(?:5432|3306|6379))?(?:/(?P<database>[\w-]*))?(?![\w:.])""",
    re.MULTILINE,
)
_DATABASE_URL = re.compile(r"""^[ \t]*(?:export[ \t]+)?DATABASE_URL[ \t]*=[ \t]*["']?(\w[^\s"']*)""", re.MULTILINE)
# Rails' adapter, which is also how DATABASE_URL has to begin for it.
_ADAPTER = re.compile(
    r"^[ \t]+adapter:[ \t]*[\"']?(?P<scheme>postgresql|postgis|mysql2|trilogy|sqlite3)\b", re.MULTILINE
)
_DATABASE_YML = ("config/database.yml", "*/config/database.yml")
# Laravel's. Laravel Sail calls its servers by the names of its Compose file.
_CONNECTION = re.compile(r"^DB_CONNECTION=[\"']?(?P<kind>mysql|mariadb|pgsql)\b", re.MULTILINE)
_LARAVEL_HOSTS = ("", "localhost", "127.0.0.1", "mysql", "mariadb", "pgsql")
_PROVIDER = re.compile(r"^datasource\s+\w+\s*\{[^}]*?\bprovider\s*=\s*\"(?P<kind>postgres|mysql)", re.MULTILINE)
_KINDS: dict[str, ServiceName] = {
    **dict.fromkeys(("postgres", "postgresql"), "postgres"),
    **dict.fromkeys(("mysql", "mariadb"), "mysql"),
    "redis": "redis",
}


def needed_services(work_tree: Path) -> tuple[Wanted, ...]:
    """Return the services that a Compose file, environments, schemas, Rails or a Procfile name, each kind once."""
    found = dict[str, Wanted]()
    environments = tuple(env_texts(work_tree))
    for wanted in (
        *services_in_compose(work_tree),
        *_in_environments(environments),
        *_in_schemas(work_tree),
        *_in_rails(work_tree),
        *servers_in_procfiles(work_tree),
    ):
        found.setdefault(wanted.name, wanted)
    urls = [url for text in environments for url in _DATABASE_URL.findall(text)]
    of_rails = {wanted.name: wanted.url_scheme for wanted in _in_rails(work_tree)}
    return tuple(
        replace(one, url_scheme=one.url_scheme or url_scheme(one.name, urls) or of_rails.get(one.name, ""))
        for one in found.values()
    )


def _in_environments(environments: Iterable[str]) -> Iterator[Wanted]:
    for text in environments:
        for url in _URL.finditer(text):
            parts = (unquote(url[name] or "") for name in ("user", "password", "database"))
            kind, known = _KINDS[url["kind"]], ("" if "$" in part else part for part in parts)
            yield Wanted(kind, account=Account() if kind == "redis" else Account(*known))
        yield from _of_laravel(text)


def _in_rails(work_tree: Path) -> Iterator[Wanted]:
    for text in _texts(work_tree, *_DATABASE_YML):
        schemes = [found["scheme"] for found in _ADAPTER.finditer(text)]
        # Where one of them is a file, that's for development, and the other is production's.
        for scheme in schemes if "sqlite3" not in schemes else ():
            yield Wanted("postgres" if scheme.startswith("post") else "mysql", url_scheme=scheme)


def _of_laravel(text: str) -> Iterator[Wanted]:
    """Yield the database that an environment of Laravel's names by its parts."""
    for found in _CONNECTION.finditer(text):
        host, *parts = (_value(text, f"DB_{name}") for name in ("HOST", "USERNAME", "PASSWORD", "DATABASE"))
        if host in _LARAVEL_HOSTS:
            yield Wanted("postgres" if found["kind"] == "pgsql" else "mysql", account=Account(*parts))


def _value(text: str, name: str) -> str:
    found = re.search(rf"^{name}=[\"']?([^\s\"'$]*)", text, re.MULTILINE)
    return found[1] if found else ""


def _in_schemas(work_tree: Path) -> Iterator[Wanted]:
    for folder in folders(work_tree):
        schema, settings = prisma(work_tree, folder), drizzle(work_tree, folder)
        for text in prisma_texts(work_tree, schema) if schema else ():
            for found in _PROVIDER.finditer(text):
                yield Wanted(_KINDS[found["kind"]])
        if settings and (kind := _KINDS.get(settings.dialect)):
            yield Wanted(kind)


def _texts(work_tree: Path, *patterns: str) -> Iterator[str]:
    names = (path.relative_to(work_tree) for pattern in patterns for path in sorted(work_tree.glob(pattern)))
    own = (name for name in names if "node_modules" not in name.parts)
    return (read_repository_text(work_tree, str(name)) for name in islice(own, _FILES_LOOKED_AT))

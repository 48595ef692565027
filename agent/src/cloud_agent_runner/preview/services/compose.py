"""The databases that a repository's Compose files name: what its developers run beside their dev server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.services.compose_files import ComposeService, compose_files
from cloud_agent_runner.preview.services.service import Account, Wanted, url_scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from cloud_agent_runner.repository.config import ServiceName


# Part of an image's name, without registry and tag -> what it is a build of.
_IMAGES: dict[str, ServiceName] = {
    "postgres": "postgres",
    "postgis": "postgres",
    "pgvector": "postgres",
    "timescaledb": "postgres",
    "redis": "redis",
    "valkey": "redis",
    "keydb": "redis",
    "mysql": "mysql",
    "mariadb": "mysql",
    "percona": "mysql",
}
# What the repository builds itself is known by its service's name, and one that only says "database" by its variables.
_BUILT: dict[str, ServiceName] = {
    **dict.fromkeys(("postgres", "postgresql", "postgis"), "postgres"),
    **dict.fromkeys(("mysql", "mariadb"), "mysql"),
    **dict.fromkeys(("redis", "valkey"), "redis"),
}
_DATABASES = frozenset({"db", "database"})
_ACCOUNTS: dict[ServiceName, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "postgres": (("POSTGRES_USER",), ("POSTGRES_PASSWORD",), ("POSTGRES_DB",)),
    "mysql": (
        ("MYSQL_USER", "MARIADB_USER"),
        ("MYSQL_PASSWORD", "MARIADB_PASSWORD", "MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"),
        ("MYSQL_DATABASE", "MARIADB_DATABASE"),
    ),
    "redis": ((), (), ()),
}


def services_in_compose(work_tree: Path) -> tuple[Wanted, ...]:
    """Return the databases in the first Compose file of the repository that has any, each kind once."""
    for services in compose_files(work_tree):
        found = dict[str, Wanted]()
        for wanted in _wanted(services):
            found.setdefault(wanted.name, wanted)
        if found:
            return tuple(found.values())
    return ()


def kind_of(service: ComposeService) -> ServiceName | None:
    """Return which of the databases a service is, if it is one."""
    if not service.is_built:
        repository = service.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        return next((kind for part, kind in _IMAGES.items() if part in repository), None)
    if service.name in _DATABASES:
        return next((kind for kind in _ACCOUNTS if any(map(service.environment.get, _names(kind)))), None)
    return _BUILT.get(service.name)


def _wanted(services: Iterable[ComposeService]) -> Iterator[Wanted]:
    urls = [service.environment.get("DATABASE_URL", "") for service in services]
    for service in services:
        if kind := kind_of(service):
            tag = service.image.partition("@")[0].rpartition("/")[2].partition(":")[2]
            version = re.match(r"\d+", tag)
            account = _account(kind, service.environment)
            yield Wanted(kind, version[0] if version else "", account, url_scheme(kind, urls))


def _names(kind: ServiceName) -> list[str]:
    return [name for names in _ACCOUNTS[kind] for name in names]


def _account(kind: ServiceName, variables: Mapping[str, str]) -> Account:
    user, password, database = (
        next((variables[name] for name in names if variables.get(name)), "") for names in _ACCOUNTS[kind]
    )
    return Account(user, password, database)

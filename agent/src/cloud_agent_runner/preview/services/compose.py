"""The services that a repository's Compose file names, which says what its developers run beside their dev server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from cloud_agent_runner.preview.services.service import Account, Wanted, url_scheme
from cloud_agent_runner.repository.file import read_repository_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_agent_runner.repository.config import ServiceName


# In the order in which Docker Compose looks for them (Docker: "How Compose works", The Compose file).
COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
# What the repository's root has comes before what its development container is made of.
_PLACES = (*COMPOSE_FILES, *(f".devcontainer/{name}" for name in COMPOSE_FILES))
_SIZE_LIMIT_BYTES = 1024 * 1024
_SERVICES_LOOKED_AT = 100
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
_ACCOUNTS: dict[ServiceName, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "postgres": (("POSTGRES_USER",), ("POSTGRES_PASSWORD",), ("POSTGRES_DB",)),
    "mysql": (
        ("MYSQL_USER", "MARIADB_USER"),
        ("MYSQL_PASSWORD", "MARIADB_PASSWORD", "MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"),
        ("MYSQL_DATABASE", "MARIADB_DATABASE"),
    ),
    "redis": ((), (), ()),
}
# ${NAME:-default}, ${NAME-default}: Compose's own interpolation. A bare ${NAME} is what nobody here knows.
_VARIABLE = re.compile(r"\$\{\w+:?-([^}]*)\}")


def services_in_compose(work_tree: Path) -> tuple[Wanted, ...]:
    """Return the services in the first Compose file of the repository that has any, each kind once."""
    for name in _PLACES:
        found = dict[str, Wanted]()
        for wanted in _wanted(_document(work_tree, name)):
            found.setdefault(wanted.name, wanted)
        if found:
            return tuple(found.values())
    return ()


def _document(work_tree: Path, name: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    try:
        return yaml.safe_load(read_repository_file(work_tree, name, _SIZE_LIMIT_BYTES))
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        return None


def _wanted(document: Any) -> Iterator[Wanted]:  # noqa: ANN401 - whatever YAML holds
    services = document.get("services") if isinstance(document, dict) else None
    listed = list(services.values())[:_SERVICES_LOOKED_AT] if isinstance(services, dict) else []
    described = [service for service in listed if isinstance(service, dict)]
    urls = [_environment(service).get("DATABASE_URL", "") for service in described]
    for service in described:
        image = service.get("image")
        if not isinstance(image, str) or "build" in service:
            continue
        repository, _, tag = _interpolated(image).partition("@")[0].rpartition("/")[2].partition(":")
        kind = next((kind for part, kind in _IMAGES.items() if part in repository), None)
        if kind is not None:
            version = re.match(r"\d+", tag)
            account = _account(kind, _environment(service))
            yield Wanted(kind, version[0] if version else "", account, url_scheme(kind, urls))


def _environment(service: dict[Any, Any]) -> dict[str, str]:
    """Return the service's variables, which are a mapping or a list of NAME=VALUE."""
    given = service.get("environment")
    if isinstance(given, list):
        given = dict(str(line).partition("=")[::2] for line in given)
    return {str(k): _interpolated(str(v)) for k, v in given.items() if v is not None} if isinstance(given, dict) else {}


def _account(kind: ServiceName, variables: dict[str, str]) -> Account:
    user, password, database = (
        next((variables[name] for name in names if variables.get(name)), "") for names in _ACCOUNTS[kind]
    )
    return Account(user, password, database)


def _interpolated(text: str) -> str:
    return _VARIABLE.sub(r"\1", text)

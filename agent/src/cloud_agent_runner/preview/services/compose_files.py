"""The services of the repository's Compose files, as Docker Compose reads them: with the variables that they refer to.

Sources: "Docker: How Compose works", The Compose file; "Set environment variables within your container's environment";
"Interpolation".
"""

from __future__ import annotations

import re
from collections import ChainMap
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from cloud_agent_runner.preview.env_files import env_file
from cloud_agent_runner.preview.folders import at, names_in
from cloud_agent_runner.repository import bounded_yaml
from cloud_agent_runner.repository.file import read_repository_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# In the order in which Docker Compose looks for them.
COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
# What the repository's root has comes before what its development container is made of.
_FOLDERS = ("", "docker", ".docker", "backend", "server", "api", ".devcontainer")
# Others that `docker compose --file` is called with, or Compose itself beside the first.
_OTHERS = re.compile(r"(?:[\w-]+\.)*(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml|local\.ya?ml")
_FOR_DEVELOPMENT = re.compile(r"dev|local")
_FOR_OTHERS = re.compile(r"prod|stag|test|e2e|\bci\b|deploy|release|build")
# So that no repository asks for much: one variable may stand in many others, and one file count for many services.
_FILES_READ = 10
_ENV_FILES_READ = 50
_SIZE_LIMIT_BYTES = 128 * 1024
_SERVICES_LOOKED_AT = 100
_VARIABLES_READ = 100
_REFERENCES_READ = 20
_CHARACTERS_READ = 2_000
_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<other>[^{}]*))?\})"
)


@dataclass(frozen=True)
class ComposeService:
    """A service: its image, whether the repository builds it, its variables, and the names that it has as a host."""

    name: str
    image: str
    is_built: bool
    environment: Mapping[str, str]
    hosts: tuple[str, ...]


def compose_files(work_tree: Path) -> Iterator[list[ComposeService]]:
    """Yield the services of each Compose file for development, ten at most: the likeliest file first."""
    env_files = _EnvFiles(work_tree)
    for folder, name in islice(_places(work_tree), _FILES_READ):
        if services := list(_services(env_files, folder, _document(work_tree, at(folder, name)))):
            yield services


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Return a value with its variables' own in their places; those that nobody sets are empty, as Compose has it."""

    def value(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        how, other = found["how"] or "", found["other"] or ""
        given = variables.get(found["bare"] or found["name"])
        is_set = bool(given) if how.startswith(":") else given is not None
        if how.endswith("+"):
            return other if is_set else ""
        return (given or "")[:_CHARACTERS_READ] if is_set or not how.endswith("-") else other

    return _VARIABLE.sub(value, text[:_CHARACTERS_READ], count=_REFERENCES_READ)[:_CHARACTERS_READ]


class _EnvFiles:
    """The variables of the repository's environment files, each of which is read once."""

    def __init__(self, work_tree: Path) -> None:
        self._work_tree = work_tree
        self._read = dict[tuple[str, str], dict[str, str]]()

    def variables(self, folder: str, name: str = ".env") -> dict[str, str]:
        """Return those of a file, or of what it will be made from; none of more than 50 files."""
        if (folder, name) not in self._read:
            is_one_too_many = len(self._read) >= _ENV_FILES_READ
            self._read[folder, name] = {} if is_one_too_many else env_file(self._work_tree, folder, name)
        return self._read[folder, name]


def _places(work_tree: Path) -> Iterator[tuple[str, str]]:
    for folder in _FOLDERS:
        present = names_in(work_tree / folder)
        others = sorted(name for name in present if _OTHERS.fullmatch(name) and not _FOR_OTHERS.search(name))
        others.sort(key=lambda name: not _FOR_DEVELOPMENT.search(name))
        named = (name for name in COMPOSE_FILES if name in present)
        yield from ((folder, name) for name in dict.fromkeys((*named, *others)))


def _document(work_tree: Path, name: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    try:
        return bounded_yaml.load(read_repository_file(work_tree, name, _SIZE_LIMIT_BYTES))
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        return None


def _services(env_files: _EnvFiles, folder: str, document: Any) -> Iterator[ComposeService]:  # noqa: ANN401 - see above
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        return
    known = ChainMap(env_files.variables(folder), env_files.variables(""))
    for name, service in islice(services.items(), _SERVICES_LOOKED_AT):
        if isinstance(service, dict):
            image = service.get("image")
            own = {**_of_files(env_files, folder, service.get("env_file")), **_given(service.get("environment"), known)}
            names = (name, service.get("container_name"), service.get("hostname"))
            yield ComposeService(
                str(name),
                interpolated(image, known) if isinstance(image, str) else "",
                bool(service.get("build")),
                own,
                tuple(one for one in names if isinstance(one, str)),
            )


def _given(environment: Any, known: Mapping[str, str]) -> dict[str, str]:  # noqa: ANN401 - see above
    """Return a service's own variables, a mapping or a list of NAME=VALUE. One without a value is passed on."""
    if isinstance(environment, list):
        parts = (str(line).partition("=") for line in islice(environment, _VARIABLES_READ))
        pairs: Iterable[tuple[Any, Any]] = ((name, value if separator else None) for name, separator, value in parts)
    elif isinstance(environment, dict):
        pairs = islice(environment.items(), _VARIABLES_READ)
    else:
        return {}
    return {
        str(name): known.get(str(name), "") if value is None else interpolated(str(value), known)
        for name, value in pairs
    }


def _of_files(env_files: _EnvFiles, folder: str, named: Any) -> dict[str, str]:  # noqa: ANN401 - see above
    """Return the variables of the files that `env_file` names: one, several, or each with more that is said of it."""
    found = dict[str, str]()
    for one in (named if isinstance(named, list) else [named])[:_FILES_READ]:
        path = one.get("path") if isinstance(one, dict) else one
        if isinstance(path, str) and not path.startswith(("/", "~")):
            file = PurePosixPath(folder, path)
            parent = "" if str(file.parent) == "." else str(file.parent)
            read = env_files.variables(parent, file.name)
            found.update({name: interpolated(value, read) for name, value in islice(read.items(), _VARIABLES_READ)})
    return found

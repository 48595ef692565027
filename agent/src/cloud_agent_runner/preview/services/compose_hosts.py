"""The addresses in the repository's environments that only hold in Compose's network, where services have names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.env_files import THE_SESSIONS, env_file
from cloud_agent_runner.preview.folders import folders
from cloud_agent_runner.preview.services.compose import kind_of
from cloud_agent_runner.preview.services.compose_files import compose_files, interpolated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# What a later one sets counts.
_ENV_FILES = (".env", ".env.development", ".env.local")
_NAME = re.compile(r"[\w.-]{1,63}")
_LONGEST = 1_000
_REFERENCE = re.compile(r"\$\{?([A-Za-z_]\w*)")
# A variable that a lone name is a host in: `DB_USER=postgres` and `QUEUE=redis` aren't.
_HOST_VARIABLE = re.compile(r"HOST(?:NAME)?S?$|(?:^|_)(?:SERVERS?|ADDR(?:ESS)?|ENDPOINT)$", re.IGNORECASE)


def compose_hosts(work_tree: Path, host: str) -> dict[str, str]:
    """Return the variables that name one of Compose's services as a host, with where it is in a session instead.

    That's `host` for databases, and this machine for what the repository builds, whose port stays the same. They stand
    in `.env` files or their examples, and in what built services get. One that would be several things is left out.
    """
    services = [service for file in compose_files(work_tree) for service in file]
    places = {
        name: host if kind_of(service) else "localhost"
        for service in services
        if service.is_built or kind_of(service)
        for name in service.hosts
        if _NAME.fullmatch(name)
    }
    if not places:
        return {}
    of_files = [_of_files(work_tree, folder) for folder in folders(work_tree)]
    said = set[str]().union(*of_files)
    of_services = [
        {name: value for name, value in service.environment.items() if name not in said}
        for service in services
        if service.is_built and not kind_of(service)
    ]
    found = dict[str, set[str]]()
    for name, value in _moved([*of_files, *of_services], places):
        found.setdefault(name, set()).add(value)
    return {name: values.pop() for name, values in found.items() if len(values) == 1 and name not in THE_SESSIONS}


def _of_files(work_tree: Path, folder: str) -> dict[str, str]:
    """Return the variables that a folder's files set, without those that refer to others that they don't set."""
    written = {name: value for file in _ENV_FILES for name, value in env_file(work_tree, folder, file).items()}
    return {
        name: interpolated(value, written)
        for name, value in written.items()
        if written.keys() >= set(_REFERENCE.findall(value))
    }


def _moved(environments: Iterable[Mapping[str, str]], places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each variable with one of the names as a host, with its place instead."""
    names = "|".join(map(re.escape, sorted(places, key=len, reverse=True)))
    alone = re.compile(rf"({names})((?::\d+)?)")
    # In a URL, and in the settings of drivers: `me:secret@tcp(db:3306)/shop`, `Server=db;Port=3306`.
    before = r"//|@|\(|\b[Hh]ost=|\b[Ss]erver="
    within = re.compile(rf"({before})({names})(?=(?::\d+)?(?:[/?#);,\s]|$))")
    for environment in environments:
        for name, value in environment.items():
            if len(value) > _LONGEST:
                continue
            lone = alone.fullmatch(value)
            if lone and (lone[2] or _HOST_VARIABLE.search(name)):
                yield name, f"{places[lone[1]]}{lone[2]}"
            elif within.search(value):
                yield name, within.sub(lambda found: f"{found[1]}{places[found[2]]}", value)

"""A folder of the work tree, as detection reads it: within limits, and nothing outside the repository."""

from __future__ import annotations

import glob
import json
import os
import re
import shlex
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from cloud_agent_runner.repository import bounded_yaml
from cloud_agent_runner.repository.file import has_repository_file, read_repository_object, read_repository_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FILES_LIMIT = 200
# As devcontainer.json has them. A string comes first, so that it's left as it is.
# One that isn't closed is taken for one, too: so each is looked through once.
_STRING = r'"(?:[^"\\\n]|\\.)*+"?'
_COMMENTS = re.compile(rf"{_STRING}|//[^\n]*|/\*(?:.*?\*/|.*)", re.DOTALL)
_TRAILING_COMMAS = re.compile(rf"{_STRING}|,(?=\s*[}}\]])")


@dataclass(frozen=True)
class Folder:
    """A folder of the work tree. What is no file of the repository, or can't be read, counts as absent."""

    work_tree: Path
    path: PurePosixPath = field(default_factory=PurePosixPath)

    def sub(self, name: str) -> Folder:
        """Return the folder of that path in this one; one that leads out of the work tree has no files."""
        return Folder(self.work_tree, PurePosixPath(os.path.normpath(self.path / name)))

    def at(self, path: PurePosixPath) -> Folder:
        """Return the folder of that path in the work tree."""
        return Folder(self.work_tree, path)

    def named(self, file: str) -> str:
        """Return what people call a file of this folder."""
        return str(self.path / file)

    def has(self, *names: str) -> bool:
        """Return whether it has one of these files."""
        return any(has_repository_file(self.work_tree, self.named(name)) for name in names)

    def first(self, *names: str) -> str | None:
        """Return the first of these files that it has."""
        return next((name for name in names if self.has(name)), None)

    def text(self, name: str) -> str:
        """Return what a file of up to 256 KiB holds; nothing where there is none."""
        return read_repository_text(self.work_tree, self.named(name))

    def json(self, name: str) -> dict[str, Any]:
        """Return the object in a file of JSON; an empty one where there is none."""
        return read_repository_object(self.work_tree, self.named(name))

    def jsonc(self, name: str) -> dict[str, Any]:
        """Return the object in a file of JSON with comments; an empty one where there is none."""
        text = self.text(name)
        for pattern in (_COMMENTS, _TRAILING_COMMAS):
            text = pattern.sub(lambda found: found[0] if found[0].startswith('"') else "", text)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def yaml(self, name: str) -> dict[Any, Any]:
        """Return the mapping in a file of YAML; an empty one where there is none."""
        try:
            value = bounded_yaml.load(self.text(name))
        except (yaml.YAMLError, ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def toml(self, name: str) -> dict[str, Any]:
        """Return the table in a file of TOML; an empty one where there is none."""
        try:
            return tomllib.loads(self.text(name))
        except (ValueError, RecursionError):
            return {}

    def files(self, patterns: Iterable[str]) -> Iterator[str]:
        """Yield what matches the patterns, in their order, 200 at most."""
        return islice(self._matches(patterns), _FILES_LIMIT)

    def folders(self, patterns: Iterable[str], limit: int) -> Iterator[Folder]:
        """Yield the folders inside the repository that match the patterns, in their order, `limit` at most."""
        top = self.work_tree.resolve()
        paths = ((name, self.work_tree / self.path / name) for name in self._matches(patterns))
        inside = (name for name, path in paths if path.resolve().is_relative_to(top) and path.is_dir())
        return islice((self.sub(name) for name in inside), limit)

    def _matches(self, patterns: Iterable[str]) -> Iterator[str]:
        for pattern in patterns:
            with suppress(ValueError):  # as for a name that no file can have
                yield from sorted(glob.glob(pattern, root_dir=self.work_tree / self.path))  # noqa: PTH207 - pathlib raises what it can't look into

    def command(self, text: str) -> str:
        """Return the command that runs in this folder, as one to be run in the work tree."""
        return f"cd {shlex.quote(str(self.path))} && {text}" if self.path.parts else text


def table(value: object, *keys: str) -> dict[str, Any]:
    """Return the table that lies under these keys; an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def strings(value: object) -> list[str]:
    """Return the strings of a list; none where it's no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

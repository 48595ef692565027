"""Reads `.github/claude-cloud-agent.yml`, and explains what is wrong with it by line and key, in order of lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.repository import plain_yaml
from cloud_agent_runner.repository.config import CONFIG_PATH, PATTERNS, RepositoryConfig
from cloud_agent_runner.repository.file import read_repository_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

EXAMPLE = """\
install: npm ci            # optional: run once, before the dev server
dev: npm run dev           # starts the dev server; it should listen on $HOST and $PORT
port: 3000                 # optional: where it listens, if it does not follow $PORT
health_path: /             # optional: answers below 500 once the server is up
"""
_SIZE_LIMIT_BYTES = 65536
_FAULTS_SHOWN = 10
# pydantic's name of a fault -> what to change, with pydantic's own values.
_FIXES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be `true` or `false`",
    "list_type": "must be a list",
    "dict_type": "must be names with a value each, such as `api: 8000`",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "too_long": "must have {max_length} items or fewer",
    "finite_number": "must be a finite number",
    "value_error": "{error}",
}


class RepositoryConfigError(AgentError):
    """The repository's configuration file cannot be used; the text names file, line, key and fix."""


class DefaultBranchConfigError(RepositoryConfigError):
    """The default branch's file is the one that cannot be used, because of `error`."""

    def __init__(self, error: RepositoryConfigError) -> None:
        super().__init__(f"On the default branch: {error}")


@dataclass(frozen=True)
class OtherSettings:
    """The settings where there is no file, or one that still can't be used because of the faults `instead_of`."""

    config: RepositoryConfig = field(default_factory=RepositoryConfig)
    instead_of: str = ""


def read_repository_config(work_tree: Path, otherwise: OtherSettings | None = None) -> RepositoryConfig:
    """Return the settings in `.github/claude-cloud-agent.yml`; without such a file those given, or the defaults.

    Raises:
        RepositoryConfigError: the file can't be read as plain YAML, or a setting in it is not valid.
    """
    otherwise = otherwise or OtherSettings()
    try:
        return _read(work_tree)
    except FileNotFoundError:
        return otherwise.config
    except RepositoryConfigError as error:
        if str(error) == otherwise.instead_of:
            return otherwise.config
        raise


def _read(work_tree: Path) -> RepositoryConfig:
    try:
        return parse_repository_config(read_repository_file(work_tree, CONFIG_PATH, _SIZE_LIMIT_BYTES))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RepositoryConfigError(f"{CONFIG_PATH} can't be read: {error.strerror}.") from error


def parse_repository_config(content: bytes) -> RepositoryConfig:
    """Return the settings that the file's content makes.

    Raises:
        RepositoryConfigError: it isn't plain YAML, or a setting in it is not valid.
    """
    try:
        document, values = plain_yaml.parse(content)
    except plain_yaml.PlainYamlError as error:
        where = f" line {error.line}" if error.line else ""
        raise RepositoryConfigError(
            f"{CONFIG_PATH}{where} can't be parsed: {error}. For example:\n{EXAMPLE}"
        ) from error
    if values is None:
        return RepositoryConfig()
    if not isinstance(document, yaml.MappingNode):
        raise RepositoryConfigError(f"{CONFIG_PATH} line 1: expected `key: value` lines. For example:\n{EXAMPLE}")
    _refuse_repeated_keys(document)
    try:
        return RepositoryConfig.model_validate(values)
    except ValidationError as error:
        raise RepositoryConfigError(_explained(error, document)) from None


def _refuse_repeated_keys(document: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in document.value:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise RepositoryConfigError(f"{CONFIG_PATH} line {line}: `{key.value}`: set twice; remove one of them.")
        seen.add(key.value)


def _explained(error: ValidationError, document: yaml.MappingNode) -> str:
    faults = sorted((_line(entry["loc"], document), f"`{entry['loc'][0]}`: {_fix(entry)}") for entry in error.errors())
    lines = [f"{CONFIG_PATH} line {line}: {fault}" for line, fault in faults[:_FAULTS_SHOWN]]
    return "\n".join([*lines, "For example:", EXAMPLE])


def _line(location: tuple[int | str, ...], document: yaml.MappingNode) -> int:
    """Return the line of what is wrong: of the item in a list, else of the key."""
    return max(node.start_mark.line for node in _nodes(location, document)) + 1


def _nodes(location: tuple[int | str, ...], document: yaml.MappingNode) -> Iterator[yaml.Node]:
    yield document
    for key, value in document.value:
        if key.value == str(location[0]):
            yield key
            if isinstance(value, yaml.SequenceNode) and isinstance(location[-1], int):
                yield value.value[location[-1]]


def _fix(entry: ErrorDetails) -> str:
    """Return what to change, in people's words and not in pydantic's."""
    key, kind = str(entry["loc"][0]), entry["type"]
    if kind == "extra_forbidden":
        return _fix_of_key(key)
    if kind == "string_pattern_mismatch":
        return f"{PATTERNS[key]}."
    return _FIXES.get(kind, entry["msg"].lower()).format(**entry.get("ctx", {})) + "."


def _fix_of_key(key: str) -> str:
    close = get_close_matches(key, RepositoryConfig.model_fields, n=1)
    if close:
        return f"unknown key; did you mean `{close[0]}`?"
    return f"unknown key; the known ones are {', '.join(RepositoryConfig.model_fields)}."

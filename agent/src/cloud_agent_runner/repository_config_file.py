"""Reading `.github/claude-cloud-agent.yml`, and saying what is wrong with it by line and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.repository_config import CONFIG_PATH, RepositoryConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE = """\
install: npm ci            # optional: run once, before the dev server
dev: npm run dev           # starts the dev server; it should listen on $HOST and $PORT
port: 3000                 # optional: where it listens, if it does not follow $PORT
health_path: /             # optional: answers below 500 once the server is up
"""
_SIZE_LIMIT_BYTES = 65536
_FAULTS_SHOWN = 10


class RepositoryConfigError(AgentError):
    """The repository's configuration file cannot be used; the text names file, line, key and remedy."""


def read_repository_config(work_tree: Path) -> RepositoryConfig:
    """Return what `.github/claude-cloud-agent.yml` says; without such a file, what holds when nothing is said.

    Raises:
        RepositoryConfigError: the file is not readable YAML, or says something unknown.
    """
    path = work_tree / CONFIG_PATH
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return RepositoryConfig()
    except OSError as error:
        raise RepositoryConfigError(f"{CONFIG_PATH} cannot be read: {error.strerror}.") from error
    if len(content) > _SIZE_LIMIT_BYTES:
        raise RepositoryConfigError(f"{CONFIG_PATH} is larger than {_SIZE_LIMIT_BYTES} bytes.")
    document = _parsed(content)
    if document is None:
        return RepositoryConfig()
    try:
        return RepositoryConfig.model_validate(yaml.safe_load(content))
    except ValidationError as error:
        raise RepositoryConfigError(_explained(error, document)) from None


def _parsed(content: bytes) -> yaml.MappingNode | None:
    """Return the document with its line numbers, None when it is empty."""
    try:
        document = yaml.compose(content, Loader=yaml.SafeLoader)
        says_nothing = yaml.safe_load(content) is None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not text in UTF-8, or nested without end"
        raise RepositoryConfigError(f"{CONFIG_PATH}{where} is not YAML: {problem}. Expected:\n{EXAMPLE}") from None
    if says_nothing:
        return None
    if not isinstance(document, yaml.MappingNode):
        raise RepositoryConfigError(f"{CONFIG_PATH} line 1 must be `key: value` lines. Expected:\n{EXAMPLE}")
    seen: set[str] = set()
    for key, _ in document.value:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise RepositoryConfigError(f"{CONFIG_PATH} line {line}: `{key.value}`: said twice; remove one of them.")
        seen.add(key.value)
    return document


def _explained(error: ValidationError, document: yaml.MappingNode) -> str:
    faults = [
        f"{CONFIG_PATH} line {_line(entry['loc'], document)}: `{entry['loc'][0]}`: "
        f"{_remedy(entry['type'], entry['msg'])}"
        for entry in error.errors(include_input=False)
    ]
    return "\n".join([*faults[:_FAULTS_SHOWN], "Expected, for instance:", EXAMPLE])


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


def _remedy(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown key; remove it or use one of {', '.join(RepositoryConfig.model_fields)}."
    message = message.removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}; correct the value." if kind != "value_error" else f"{message}."

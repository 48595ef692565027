from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_agent_runner.errors import AgentError

CONFIG_PATH = ".github/claude-cloud-agent.yml"
EXAMPLE = """\
install: npm ci            # optional: run once, before the dev server
dev: npm run dev           # starts the dev server; it should listen on $HOST and $PORT
port: 3000                 # optional: where it listens, if it does not follow $PORT
health_path: /             # optional: answers below 500 once the server is up
"""
_SIZE_LIMIT_BYTES = 65536


class RepositoryConfigError(AgentError):
    """The repository's configuration file cannot be used; the text names file, line, key and remedy."""


class RepositoryConfig(BaseModel):
    """How a repository's dev server is installed, started and checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    install: Annotated[str, Field(min_length=1)] | None = None
    dev: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    health_path: str = Field(default="/", pattern=r"^/[!-~]*$")


def read_repository_config(work_tree: Path) -> RepositoryConfig | None:
    """Return what `.github/claude-cloud-agent.yml` says, or None when there is no such file.

    Raises:
        RepositoryConfigError: the file is not readable YAML, or says something unknown.
    """
    path = work_tree / CONFIG_PATH
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RepositoryConfigError(f"{CONFIG_PATH} cannot be read: {error.strerror}.") from error
    if len(content) > _SIZE_LIMIT_BYTES:
        raise RepositoryConfigError(f"{CONFIG_PATH} is larger than {_SIZE_LIMIT_BYTES} bytes.")
    document = _parsed(content)
    try:
        return RepositoryConfig.model_validate(yaml.safe_load(content) if document else {})
    except ValidationError as error:
        raise RepositoryConfigError(_explained(error, document)) from None


def _parsed(content: bytes) -> yaml.MappingNode | None:
    """Return the document with its line numbers, None when it is empty."""
    try:
        document = yaml.compose(content, Loader=yaml.SafeLoader)
        yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not text in UTF-8"
        raise RepositoryConfigError(f"{CONFIG_PATH}{where} is not YAML: {problem}. Expected:\n{EXAMPLE}") from None
    if document is not None and not isinstance(document, yaml.MappingNode):
        raise RepositoryConfigError(f"{CONFIG_PATH} line 1 must be `key: value` lines. Expected:\n{EXAMPLE}")
    return document


def _explained(error: ValidationError, document: yaml.MappingNode | None) -> str:
    lines = {key.value: key.start_mark.line + 1 for key, _ in document.value} if document else {}
    faults = []
    for entry in error.errors(include_input=False):
        key = str(entry["loc"][0])
        where = f" line {lines[key]}" if key in lines else ""
        faults.append(f"{CONFIG_PATH}{where}: `{key}`: {_remedy(entry['type'], entry['msg'])}")
    return "\n".join([*faults, "Expected:", EXAMPLE])


def _remedy(kind: str, message: str) -> str:
    known = ", ".join(RepositoryConfig.model_fields)
    if kind == "extra_forbidden":
        return f"unknown key; remove it or use one of {known}."
    if kind == "missing":
        return "missing; say how the dev server is started."
    return f"{message[0].lower()}{message[1:]}; correct the value."

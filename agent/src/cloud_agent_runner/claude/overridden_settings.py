"""What the repository's own settings of Claude Code want otherwise than the session: said in a reply, by key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.claude.settings import OTHER_WAYS, PROXIES
from cloud_agent_runner.model.access import MODEL_VARIABLES
from cloud_agent_runner.repository.config import CONFIG_PATH
from cloud_agent_runner.repository.file import read_repository_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FILE = ".claude/settings.json"
_API = "Claude calls the model only through the session's own gateway, with the session's own key"
_MODEL = f"the session uses `{{}}`; choose another with `/model`, or `model` in `{CONFIG_PATH}`"
_SESSIONS_OWN = "the session sets this itself"
_MODE = "Claude works without asking, and where Claude Code would ask a person, the answer is no"
_PUSH = "Claude can't push; its commits are pushed when a turn ends"
_SERVERS = "servers in `.mcp.json` run without approval"
_PUSH_RULE = re.compile(r"Bash\(git push\b(?!-)")


def overridden_settings(work_tree: Path, ours: Mapping[str, Any]) -> dict[str, str]:
    """Return what happens instead, in words, by each key of the repository's that has no effect beside `ours`.

    Neither a value nor a name of the repository's choosing is among the words: it could be a secret, or a text of
    its own.
    """
    return dict(_overridden(read_repository_object(work_tree, _FILE), ours))


def sentences(overridden: Mapping[str, str]) -> Iterator[str]:
    """Yield one sentence for all keys of the same outcome."""
    keys: dict[str, list[str]] = {}
    for key, instead in overridden.items():
        keys.setdefault(instead, []).append(f"`{key}`")
    for instead, named in keys.items():
        have = "has" if len(named) == 1 else "have"
        yield f"In the repository's `{_FILE}`, {', '.join(named)} {have} no effect: {instead}."


def _overridden(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if theirs.get("apiKeyHelper"):
        yield "apiKeyHelper", _API
    if theirs.get("model", ours["model"]) != ours["model"]:
        yield "model", _MODEL.format(ours["model"])
    variables = _object(theirs, "env")
    for name, value in ours["env"].items():
        if str(variables.get(name, value)) != value:
            yield f"env.{name}", _instead_of(name, ours["model"])
    permissions = _object(theirs, "permissions")
    if permissions.get("defaultMode", "default") != "default":
        yield "permissions.defaultMode", _MODE
    allowed = permissions.get("allow")
    if isinstance(allowed, list) and any(_PUSH_RULE.match(str(rule)) for rule in allowed):
        yield "permissions.allow", _PUSH
    if theirs.get("enableAllProjectMcpServers") is False:
        yield "enableAllProjectMcpServers", _SERVERS


def _object(settings: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = settings.get(key)
    return value if isinstance(value, dict) else {}


def _instead_of(variable: str, model: str) -> str:
    if variable in MODEL_VARIABLES:
        return _MODEL.format(model)
    return _API if variable in {*OTHER_WAYS, *PROXIES} or variable.startswith(("ANTHROPIC_", "AWS_")) else _SESSIONS_OWN

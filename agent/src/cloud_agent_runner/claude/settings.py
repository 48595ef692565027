"""The settings that outrank those of the repository in Claude Code: `--settings` comes before the project's files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud_agent_runner.workspace.network_environment import network_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_runner.workspace.user import WorkspaceUser

# By which Claude Code would call another API, or identify itself with another key. Empty is as good as not set.
OTHER_WAYS = (
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_GATEWAY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
)


# By which Claude Code would reach the gateway, or something in its place, in another way: curl's and Node.js's.
PROXIES = tuple(
    spelled for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for spelled in (name, name.lower())
)


def outranking_settings(model: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings by which a repository's own can't take the session's model, gateway or policy away.

    `.claude/settings.json` has an `env` of its own, which Claude Code puts above its environment. It's the wrong
    address that this prevents, not a leak: the key is good for the gateway alone, and the gateway serves one model.
    Proxies are the deployment's, or none: through another, somebody else's model would answer, which nobody meters.
    """
    network = network_environment(os.environ)
    proxies = {name: network.get(name, "") for name in PROXIES}
    return {
        "model": model,
        "env": {**dict.fromkeys(OTHER_WAYS, ""), **proxies, **variables},
        "apiKeyHelper": "",
        "enableAllProjectMcpServers": True,
    }


def settings_file(user: WorkspaceUser, settings: Mapping[str, Any]) -> Path:
    """Write settings to a file that `user` can read: in an argument every user of the machine could read the key."""
    file = Path.home() / "claude-settings.json"
    file.touch(mode=0o600)
    file.chmod(0o600 if user.owner is None else 0o644)
    file.write_text(json.dumps(settings), encoding="utf-8")
    return file

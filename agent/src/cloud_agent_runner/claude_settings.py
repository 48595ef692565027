"""The settings that outrank those of the repository in Claude Code: `--settings` comes before the project's files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# By which Claude Code would call another API, or identify itself with another key. Empty is as good as not set.
_OTHER_WAYS = (
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


def outranking_settings(model: str, variables: Mapping[str, str]) -> str:
    """Return the settings by which a repository's own can't take the session's model, gateway or policy away.

    `.claude/settings.json` has an `env` of its own, which Claude Code puts above its environment. It's the wrong
    address that this prevents, not a leak: the key is good for the gateway alone, and the gateway serves one model.
    """
    return json.dumps(
        {
            "model": model,
            "env": {**dict.fromkeys(_OTHER_WAYS, ""), **variables},
            "enableAllProjectMcpServers": True,
        }
    )

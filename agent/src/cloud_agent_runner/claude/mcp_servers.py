"""The MCP servers that the repository configures, as far as people should hear of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from claude_agent_sdk import McpServerStatus

_REASON_LIMIT_CHARACTERS = 200


def unavailable_servers(servers: Iterable[McpServerStatus]) -> dict[str, str]:
    """Return a sentence, by the server's name, for each server whose tools Claude doesn't have."""
    sentences = {}
    for server in servers:
        name = server["name"]
        if server["status"] == "failed":
            reason = (
                (server.get("error") or "it gave no reason").partition("\n")[0][:_REASON_LIMIT_CHARACTERS].rstrip(".")
            )
            sentences[name] = f"The repository's MCP server `{name}` couldn't be started: {reason}."
        elif server["status"] == "needs-auth":
            sentences[name] = f"The repository's MCP server `{name}` needs a sign-in, so Claude can't use it here."
    return sentences

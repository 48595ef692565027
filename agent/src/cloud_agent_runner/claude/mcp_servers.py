"""The MCP servers, as far as people should hear of them: the repository's own, and the one of Claude's browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.claude.browser_server import SERVER

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
            subject = "Claude's browser" if name == SERVER else f"The repository's MCP server `{name}`"
            sentences[name] = f"{subject} couldn't be started: {reason}."
        elif server["status"] == "needs-auth":
            sentences[name] = f"The repository's MCP server `{name}` needs a sign-in, so Claude can't use it here."
    return sentences

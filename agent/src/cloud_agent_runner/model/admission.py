"""What a call may ask of the model's provider: what Claude Code asks, and nothing that reaches past the session.

These are lists of what is admitted, as the API grows: what is new there is refused until somebody has looked at it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Claude Code's ("Claude API: Messages"), and Bedrock's two. Left out are those that lead to other models (`fallbacks`),
# prices (`service_tier`), or what lies with the provider (`container`).
_MEMBERS = frozenset(
    {
        "anthropic_beta",
        "anthropic_version",
        "cache_control",
        "context_hint",
        "context_management",
        "data_flow",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "mcp_servers",  # if it's empty
        "messages",
        "metadata",
        "model",
        "output_config",
        "output_format",
        "safeguards",
        "speed",  # the standard one
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
# The provider would fetch a `url`, past `AgentEgress`, and read a `file` that lies with it.
_SOURCES = frozenset({"base64", "content", "text"})
# What Claude Code runs by itself, a search among the request's own tools, and web searches, which are metered; their
# later versions run code, too. By others the provider would fetch, run, connect to or ask another model, such as
# `web_fetch`, `code_execution`, `mcp_toolset` and `advisor`.
_TOOLS = re.compile(
    r"custom|(bash|memory|text_editor)_\d{8}|tool_search_tool_(bm25|regex)(_\d{8})?|web_search_20250305", re.ASCII
)


def refusal(call: Mapping[str, Any]) -> str | None:
    """Return why the gateway doesn't pass on a call, or None."""
    if unknown := sorted(call.keys() - _MEMBERS):
        return f"{unknown[0][:100]}: this gateway doesn't admit it."
    if call.get("mcp_servers") or not all(map(_is_admitted, _list(call.get("tools")))):
        return "This gateway admits no tools that the model's provider runs, but for web searches."
    if not all(map(_is_whole, _sources([call.get("messages"), call.get("system")]))):
        return "This gateway admits images and documents only if the request holds them, not by URL or file id."
    return None


def _is_admitted(tool: object) -> bool:
    kind = tool.get("type") if isinstance(tool, dict) else tool
    return kind is None or (isinstance(kind, str) and _TOOLS.fullmatch(kind) is not None)


def _is_whole(source: object) -> bool:
    """Whether a block's source is text, as a search result names it, or one whose content is in it."""
    return isinstance(source, str) or (isinstance(source, dict) and source.get("type") in _SOURCES)


def _sources(content: object) -> list[object]:
    """Return the sources of all blocks, however deep; the arguments of a tool's call are data, and no blocks."""
    found: list[object] = []
    left = [content]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            found += [each["source"]] if "source" in each else []
            found += [{"type": name} for name in ("file_id", "container_id") if name in each]
            is_call = each.get("type") in ("tool_use", "server_tool_use")
            left += [value for name, value in each.items() if not (is_call and name == "input")]
    return found


def _list(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

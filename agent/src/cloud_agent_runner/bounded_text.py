"""Texts that fit into a report: cut to a number of characters, and encodable.

Claude Code is a JavaScript program: a text that it cut may end with half an emoji, which UTF-8 can't encode. It
becomes U+FFFD.
"""

from __future__ import annotations

_LEFT_OUT = "\n…\n"


def beginning(text: str, limit: int) -> str:
    """Return at most `limit` characters of the beginning."""
    return encodable(text)[:limit]


def end(text: str, limit: int) -> str:
    """Return at most `limit` characters of the end."""
    return encodable(text)[-limit:]


def both_ends(text: str, limit: int) -> str:
    """Return at most `limit` characters; what doesn't fit is left out of the middle."""
    text = encodable(text)
    if len(text) <= limit:
        return text
    half = (limit - len(_LEFT_OUT)) // 2
    return text[:half] + _LEFT_OUT + text[-half:]


def encodable(text: str) -> str:
    """Return the text with U+FFFD for what UTF-8 can't encode."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

"""Which addresses of links and images are part of a text. GitHub doesn't show them, so none may be a sentence."""

from __future__ import annotations

import html
import re

_LIMIT = 1_000  # characters; one of GitHub's own, of a file in an issue, has about a hundred
_BLANK = "\u2800"  # Braille's, which Unicode doesn't call a space
_NOT_IN_ONE = re.compile(rf"[\s{_BLANK}<>\"'`{{}}|\\^]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# The schemes that people use of those to which GitHub leaves links.
_WHOLE = re.compile(r"https?://[^/?#]+(?:[/?#].*)?|mailto:[^@?]+@[^@?]+", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether this can only be an address: a whole one, or a path."""
    text = html.unescape(text)
    if not text or len(text) > _LIMIT or _NOT_IN_ONE.search(text):
        return False
    return _WHOLE.fullmatch(text) is not None or not _SCHEME.match(text)


def is_visible(text: str) -> bool:
    """Whether a text without invisible characters is more than blank."""
    return bool(text.strip().strip(_BLANK).strip())

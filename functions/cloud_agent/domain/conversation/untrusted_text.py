"""What others' words lose wherever they go: characters that nobody sees, tokens, and the power to refer to an issue.

Nor do they hold a marker of this system's: not in code either, which it doesn't tell from the rest of its own text.
"""

from __future__ import annotations

import re
import unicodedata

OWN_PREFIX = "<!-- claude-cloud-agent:"  # what every comment of this system begins with, and finds its parts by
_WORD_JOINER = "\u2060"  # invisible; what it stands in is text to GitHub
_OWN_MARKER = re.compile(r"<(?=!--\s*claude-cloud-agent)", re.IGNORECASE)
# What is laid out as nothing: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, which has the tags,
# variation selectors, zero-width and bidirectional characters; interlinear annotations; controls but tab and newline.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_EMOJI_STYLE = "\ufe0f"
_JOINERS = "\u200c\u200d"  # within emoji, and within words of Persian and of India's scripts
_EMOJI = {"So", "Sk", "Sm"}  # categories: symbols, skin tones, arrows
_KEYCAPS = frozenset("#*0123456789")
_UNCASED = {"Lo", "Mn", "Mc"}  # letters of scripts without case, and their marks

# GitHub Docs, "About authentication to GitHub", lists the prefixes of its tokens.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(gh[oprsu]_|github_pat_|sk-ant-)[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]+)*", re.IGNORECASE
)

# Markdown lets each of these characters have a backslash, which GitHub takes away before it looks for addresses.
_SLASH, _DOT, _NAME = r"\\?/", r"\\?\.", r"[\w.\\-]+"
_TARGET = rf"{_SLASH}{_NAME}{_SLASH}{_NAME}{_SLASH}(?:issues|pulls?|discussions|commit){_SLASH}"
_GITHUB = re.compile(
    rf"(?<![\w.-])(https?\\?:{_SLASH}{_SLASH})?(?:www{_DOT})?github{_DOT}com(?={_TARGET}\w)", re.IGNORECASE
)
_ELSEWHERE = re.compile(rf"({_SLASH}{_SLASH}(?!redirect\.)[\w.:-]+{_TARGET})(?=\d)", re.IGNORECASE)


def without_invisible(text: str) -> str:
    """Return the text without what nobody sees, and with newlines for its line ends.

    What joins the characters of an emoji, or of a word that can't be spelled without it, stays.
    """
    return _INVISIBLE.sub(_kept, text.replace("\r\n", "\n").replace("\r", "\n"))


def masked(text: str) -> str:
    """Return the text with nothing left of a GitHub or Anthropic token but its kind."""
    return _TOKEN.sub(r"\1…", text)


def shown(text: str) -> str:
    """Return the text as it may be shown to anybody, and stand beside markers of this system."""
    return _OWN_MARKER.sub(f"<{_WORD_JOINER}", masked(without_invisible(text)))


def without_backlinks(text: str) -> str:
    """Return the text with addresses of issues, pull requests and commits that make GitHub list no reference there.

    GitHub Docs, "Autolinked references and URLs": `redirect.github.com` leads to the same page. GitHub Enterprise
    has no such host, so an address on any other host doesn't lead to an issue any more.
    """
    return _ELSEWHERE.sub(rf"\1{_WORD_JOINER}", _GITHUB.sub(r"\1redirect.github.com", text))


def _kept(match: re.Match[str]) -> str:
    character, text, at = match[0], match.string, match.start()
    before, after = text[max(at - 2, 0) : at], text[at + 1 : at + 2]
    if character == _EMOJI_STYLE:
        return character if before[-1:] in _KEYCAPS or _is_emoji(before[-1:]) else ""
    if character in _JOINERS and before and after:
        in_emoji = _is_emoji(before.removesuffix(_EMOJI_STYLE)[-1:]) and _is_emoji(after)
        return character if in_emoji or (_is_uncased(before[-1]) and _is_uncased(after)) else ""
    return ""


def _is_uncased(character: str) -> bool:
    return unicodedata.category(character) in _UNCASED and not _INVISIBLE.match(character)


def _is_emoji(character: str) -> bool:
    return bool(character) and not character.isascii() and unicodedata.category(character) in _EMOJI

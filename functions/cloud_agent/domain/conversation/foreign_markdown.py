"""Claude's words in a comment of ours: shown as the Markdown they are, and unable to do more than be read.

Whoever writes an issue can make Claude say anything. So these words mention nobody, refer to no issue, hold no HTML
(which could close a fold or look like one of our hidden markers), no token, nothing invisible, and end what they begin.
"""

from __future__ import annotations

import re

from cloud_agent.domain.conversation.untrusted_text import shown, without_backlinks

_WORD_JOINER = "\u2060"  # invisible; what it stands behind is text to GitHub
# A tag, a comment or an autolink; an entity, which could spell "@"; a mention; a reference to an issue.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)|@|#(?=\d)|(?<=\bGH)-(?=\d)", re.IGNORECASE)
_MOST_INDENT = 3  # spaces; four make a code block
_IMAGE = re.compile(r"!(?=\[)")  # it would be fetched by everyone who reads the comment
# Only at the very margin: of one further in, it cannot be told where the list or quotation around it ends it.
_OPENING = re.compile(r"^(`{3,})[^`]*$|^(~{3,})")
_OTHER_FENCE = re.compile(r"(?=`{3}|~{3})(?<![`~])")


def contained(markdown: str, limit: int) -> str:
    """At most `limit` characters of the text, made harmless; in fences, mentions stay to be copied: they do nothing."""
    text = without_backlinks(shown(markdown)).strip("\n")
    if len(text) > limit:
        text = text[:limit] + "…"
    fence, lines = "", []
    for line in text.split("\n"):
        if fence:
            lines.append(line)
            if _closes(line, fence):
                fence = ""
            continue
        opening = _OPENING.match(line)
        fence = next((run for run in opening.groups() if run), "") if opening else ""
        lines.append(fence + _harmless(line[len(fence) :]))
    return "\n".join([*lines, fence] if fence else lines)


def _closes(line: str, fence: str) -> bool:
    """CommonMark: at least as many of the same character, indented by at most three spaces, nothing behind."""
    run = line.lstrip(" ").rstrip(" \t")
    return line.find(run) <= _MOST_INDENT and len(run) >= len(fence) and set(run) == {fence[0]}


def _harmless(line: str) -> str:
    line = _OTHER_FENCE.sub(_WORD_JOINER, _IMAGE.sub("!" + _WORD_JOINER, line))
    return _ACTIVE.sub(lambda match: match[0] + _WORD_JOINER, line)

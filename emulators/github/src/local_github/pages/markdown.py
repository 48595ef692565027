"""Markdown as GitHub shows it: with alerts, tables, and the harmless part of HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore

_ALERT = re.compile(r"\A\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ ]*(?:\n|\Z)")
_KINDS = ("note", "tip", "important", "warning", "caution")
_CLASSES = {"div": {"alert", *_KINDS}}


def rendered(text: str | None) -> Markup:
    """Return the text as HTML in which nothing runs: <details> folds, a comment is hidden, a script is gone."""
    return Markup(nh3.clean(_MARKDOWN.render(text or ""), link_rel=None, allowed_classes=_CLASSES))  # noqa: S704 - sanitized


def _make_alerts(state: StateCore) -> None:
    """Turn a quotation that begins with [!WARNING], or another of the five, into a box with that title."""
    tokens = list[Token]()
    alerts = list[bool]()  # of the quotations around the token: whether each is an alert
    for index, token in enumerate(state.tokens):
        tokens.append(token)
        if token.type == "blockquote_open":
            text = state.tokens[index + 2] if state.tokens[index + 1].type == "paragraph_open" else token
            found = _ALERT.match(text.content)
            alerts.append(found is not None)
            if found:
                text.content = text.content[found.end() :]
                token.tag = "div"
                token.attrs["class"] = f"alert {found[1].lower()}"
                tokens += _title(found[1].capitalize())
        elif token.type == "blockquote_close" and alerts.pop():
            token.tag = "div"
    state.tokens = tokens


def _title(words: str) -> list[Token]:
    return [
        Token("paragraph_open", "p", 1, block=True),
        Token("inline", "", 0, content=f"**{words}**", children=[], block=True),
        Token("paragraph_close", "p", -1, block=True),
    ]


def _align_cells(state: StateCore) -> None:
    """Say a cell's alignment in the attribute that is let through, as GitHub does; styles are not."""
    for token in state.tokens:
        if token.type in {"th_open", "td_open"} and (style := str(token.attrs.pop("style", ""))):
            token.attrs["align"] = style.removeprefix("text-align:")


_MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": True, "breaks": True})
_MARKDOWN.enable(["table", "strikethrough", "linkify"])
if _MARKDOWN.linkify:
    _MARKDOWN.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # only what says http:// is a link
_MARKDOWN.core.ruler.after("block", "alerts", _make_alerts)
_MARKDOWN.core.ruler.after("block", "alignment", _align_cells)

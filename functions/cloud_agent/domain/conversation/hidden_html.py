"""What raw HTML in Markdown has that GitHub doesn't show: comments, attributes, elements that it doesn't know."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from enum import StrEnum

from cloud_agent.domain.conversation.untrusted_text import without_invisible


class Hidden(StrEnum):
    """What was left out of a text, as people and Claude read it."""

    COMMENT = "an HTML comment"
    ATTRIBUTE = "an HTML attribute"
    TAG = "an unknown HTML tag"
    UNCLOSED = "what follows an unclosed HTML tag"
    IMAGE = "an image's description"
    LINK_TITLE = "a link's title"
    LINK_DEFINITION = "an unused link definition"
    FOOTNOTE = "an unused footnote"
    CELL = "a table cell without a column"
    CODE_INFO = "words beside a code block's language"
    INVISIBLE = "invisible characters"


@dataclass(frozen=True)
class Cut:
    """A part of a text, and what stands there `instead`. `kind` is None where nothing is lost."""

    start: int
    end: int
    kind: Hidden | None
    instead: str = ""


@dataclass
class Html:
    """What is to be cut out of a piece of markup, and whether a comment or a tag goes on after it."""

    cuts: list[Cut] = field(default_factory=list)
    comment_goes_on: bool = False
    tag_goes_on: bool = False


# As HTML is tokenized (WHATWG HTML, 13.2.5). What is unclosed goes on to the end.
_TOKENS = re.compile(
    r"(?P<comment><!--(?:-?>|.*?(?:--!?>|(?P<open_comment>\Z)))|<(?:[!?]|/[^A-Za-z>])[^>]*(?:>|(?P<open_bogus>\Z)))"
    r"|</?(?P<name>[A-Za-z][^\s/>]*)"
    r"(?P<attributes>(?:=\s*\"[^\"]*\"|=\s*'[^']*'|=(?!\s*[\"'])|[^>=])*)(?:>|(?P<open_tag>.*\Z))"
    r"|(?P<entity>&\#?\w+;)",
    re.DOTALL,
)
_COMMENT_END = re.compile(r"--!?>")
_ATTRIBUTE = re.compile(r"([^\s\"'>/=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_ADDRESSES = {"href", "src", "srcset"}
# GitHub Flavored Markdown, 6.11: the tags of these are shown as the text that they are.
_SHOWN_AS_TEXT = frozenset(
    "title textarea style xmp iframe noembed noframes script plaintext".split()  # noqa: SIM905 - reads as a list
)
# github/markup: "the HTML is sanitized, aggressively removing things"; what its filter lets through.
_ELEMENTS = frozenset(
    (  # noqa: SIM905 - reads as a list
        "h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p picture source ol ul table thead "
        "tbody tfoot blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details caption "
        "figure figcaption abbr bdo cite dfn mark small span time wbr video"
    ).split()
)


def says_something(words: str) -> bool:
    """Whether this is more than one word: GitHub itself calls each picture `Image`."""
    return len(re.findall(r"\w+", words)) > 1


def end_of_comment(markup: str) -> int | None:
    """Return where a comment that was begun before this ends in it, None where it goes on."""
    found = _COMMENT_END.search(markup)
    return found.end() if found else None


def read_html(markup: str) -> Html:
    """Return what is to be cut out of this markup, in order."""
    html_ = Html()
    for token in _TOKENS.finditer(markup):
        start, end = token.span()
        if token["comment"] is not None:
            html_.cuts.append(Cut(start, end, Hidden.COMMENT))
        elif token["entity"] is not None:
            if not without_invisible(html.unescape(token[0])):
                html_.cuts.append(Cut(start, end, Hidden.INVISIBLE))
        elif token["open_tag"] is not None:
            html_.cuts.append(Cut(start, end, Hidden.UNCLOSED))
        elif (cut := _cut_of_tag(token)) is not None:
            html_.cuts.append(cut)
        html_.comment_goes_on = token["open_comment"] is not None
        html_.tag_goes_on = token["open_tag"] is not None or token["open_bogus"] is not None
    return html_


def _cut_of_tag(token: re.Match[str]) -> Cut | None:
    start, end = token.span()
    name = token["name"].lower()
    if name in _SHOWN_AS_TEXT:
        return None
    if name not in _ELEMENTS:
        return Cut(start, end, Hidden.TAG)
    attributes = [(one[1].lower(), (one[2] or "").strip("\"'")) for one in _ATTRIBUTE.finditer(token["attributes"])]
    hidden = " ".join(value or key for key, value in attributes if key not in _ADDRESSES)
    if not hidden:
        return None
    kept = "".join(f' {key}="{value}"' for key, value in attributes if key in _ADDRESSES)
    kind = Hidden.IMAGE if name == "img" else Hidden.ATTRIBUTE
    closing = "/" if token[0].startswith("</") else ""
    return Cut(start, end, kind if _is_worth_a_word(attributes) else None, f"<{closing}{name}{kept}>")


def _is_worth_a_word(attributes: list[tuple[str, str]]) -> bool:
    return any(says_something(value or key) for key, value in attributes if key not in _ADDRESSES)

"""What raw HTML in Markdown has that GitHub doesn't show: comments, attributes, elements that it doesn't know."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from enum import StrEnum

from cloud_agent.domain.conversation.addresses import is_address, is_visible
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
    ADDRESS = "a hidden or malformed address"
    CODE_INFO = "words beside a code block's language"
    INVISIBLE = "invisible characters"


@dataclass(frozen=True)
class Cut:
    """A part of a text, and what stands there `instead`. `kind` is None where nothing is lost."""

    start: int
    end: int
    kind: Hidden | None
    instead: str = ""


@dataclass(frozen=True)
class Edge:
    """A tag that begins what is shown for the address in it, or ends what is shown for one before it."""

    start: int
    end: int
    has_address: bool = False


@dataclass
class Html:
    """What is to be cut out of a piece of markup, and whether a comment or a tag goes on after it.

    `visible` says from where to where it shows something, `edges` are those of links.
    """

    cuts: list[Cut] = field(default_factory=list)
    visible: list[tuple[int, int]] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    comment_goes_on: bool = False
    tag_goes_on: bool = False

    def show(self, start: int, end: int, markup: str) -> None:
        """Take down that this part of the markup is text."""
        if is_visible(without_invisible(markup[start:end])):
            self.visible.append((start, end))


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
_ADDRESS_OF = {"a": "href", "img": "src", "video": "src"}  # the one whose thing is shown
_SHOWN = {"img", "video"}
_SIZES = {"width", "height"}
_DOT = re.compile(r"0*[01](?:\.\d*)?(?:px|%)?")  # a width or height that leaves nothing to see
_CELLS = frozenset("table caption thead tbody tfoot tr td th".split())  # noqa: SIM905 - no link goes on beyond one's edge
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
    html_, at = Html(), 0
    for token in _TOKENS.finditer(markup):
        start, end = token.span()
        html_.show(at, start, markup)
        at = end
        if token["comment"] is not None:
            html_.cuts.append(Cut(start, end, Hidden.COMMENT))
        elif token["entity"] is not None:
            _read_entity(token, html_)
        elif token["open_tag"] is not None:
            html_.cuts.append(Cut(start, end, Hidden.UNCLOSED))
        else:
            _read_tag(token, html_)
        html_.comment_goes_on = token["open_comment"] is not None
        html_.tag_goes_on = token["open_tag"] is not None or token["open_bogus"] is not None
    html_.show(at, len(markup), markup)
    return html_


def _read_entity(token: re.Match[str], html_: Html) -> None:
    start, end = token.span()
    shown = without_invisible(html.unescape(token[0]))
    if not shown:
        html_.cuts.append(Cut(start, end, Hidden.INVISIBLE))
    elif is_visible(shown):
        html_.visible.append((start, end))


def _read_tag(token: re.Match[str], html_: Html) -> None:
    start, end = token.span()
    name = token["name"].lower()
    if name in _SHOWN_AS_TEXT:
        html_.visible.append((start, end))
        return
    if name not in _ELEMENTS:
        html_.cuts.append(Cut(start, end, Hidden.TAG))
        return
    kept, others = _attributes(name, token)
    if others:
        closing = "/" if token[0].startswith("</") else ""
        html_.cuts.append(Cut(start, end, _kind_of(name, others), f"<{closing}{name}{kept}>"))
    if name in _SHOWN and kept:
        html_.visible.append((start, end))
    if name == "a" or name in _CELLS:
        html_.edges.append(Edge(start, end, has_address=bool(kept)))


def _attributes(name: str, token: re.Match[str]) -> tuple[str, list[tuple[str, str]]]:
    """Return the address of what the tag shows, as it's written in it, and the other attributes.

    Of several with one name, browsers take the first.
    """
    found = [(one[1].lower(), (one[2] or "").strip("\"'")) for one in _ATTRIBUTE.finditer(token["attributes"])]
    address = next((one for one in found if one[0] == _ADDRESS_OF.get(name)), None)
    is_tiny = name in _SHOWN and any(key in _SIZES and _DOT.fullmatch(value.strip()) for key, value in found)
    if address is None or is_tiny or token[0].startswith("</") or not is_address(address[1]):
        return "", found
    found.remove(address)
    return f' {address[0]}="{address[1]}"', found


def _kind_of(name: str, attributes: list[tuple[str, str]]) -> Hidden | None:
    """Return what is lost with these attributes, if it's worth a word."""
    if any(says_something(value or key) for key, value in attributes if key not in _ADDRESSES):
        return Hidden.IMAGE if name == "img" else Hidden.ATTRIBUTE
    return Hidden.ADDRESS if any(value for key, value in attributes if key in _ADDRESSES) else None

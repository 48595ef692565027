"""What GitHub shows of a text, and so what whoever let Claude work on it has seen. The rest is no part of a prompt.

Code stays byte for byte, but for invisible characters: an HTML comment in it is shown. So is what's folded.
What a diagram or a formula hides in its own language stays as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from pyromark import Options, events_with_range, reference_definitions

from cloud_agent.domain.conversation.addresses import is_address, is_visible
from cloud_agent.domain.conversation.hidden_html import Cut, Edge, Hidden, end_of_comment, read_html, says_something
from cloud_agent.domain.conversation.link_edges import LinkEdges
from cloud_agent.domain.conversation.untrusted_text import without_invisible

# An event as pyromark has it, and where in the text its source begins and ends.
Event = tuple[Any, int, int]

_GITHUB = Options.ENABLE_TABLES | Options.ENABLE_FOOTNOTES | Options.ENABLE_STRIKETHROUGH | Options.ENABLE_TASKLISTS
_CONTAINERS = re.compile(r"(?:[\s>]|(?:\d{1,9}[.)]|[-+*])(?=\s|\Z))*")  # what begins a line in a quotation or a list
_FENCE_AND_LANGUAGE = re.compile(r"(?:`+|~+)[ \t]*(?:[A-Za-z][\w+#.-]{0,29})?")
_FOOTNOTE_LABEL = re.compile(r"\[\^[^\]]*\]")
_BY_REFERENCE = {"Reference", "Collapsed", "Shortcut"}
_SHOWN_IN_FULL = {"Autolink", "Email"}


@dataclass(frozen=True)
class ShownText:
    """What GitHub shows, in Markdown, and what kinds of things it doesn't."""

    text: str
    left_out: tuple[Hidden, ...] = ()


def as_shown(markdown: str) -> ShownText:
    """Return the text without what GitHub leaves out when it renders it."""
    source = markdown.encode(errors="ignore").decode().replace("\r\n", "\n").replace("\r", "\n")
    cuts = _Reader(source).cuts()
    rest = _without(source, cuts)
    text = without_invisible(rest)
    kinds = [cut.kind for cut in cuts if cut.kind] + [Hidden.INVISIBLE] * (text != rest)
    return ShownText(text, tuple(dict.fromkeys(kinds)))


def _without(source: str, cuts: list[Cut]) -> str:
    text, at = "", 0
    for cut in cuts:
        text += source[at : cut.start] + cut.instead
        at = cut.end
    return text + source[at:]


class _Reader:
    """Reads Markdown's events, and notes for which characters they account: no other is shown.

    So what Markdown drops without a word, an unused definition or a cell too many, is known by its absence.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._offsets = _offsets(source)
        events = _events(source, self._offsets)
        self._events = iter(events)
        self._accounted = bytearray(len(source))
        self._cuts: list[Cut] = []
        self._links: list[tuple[dict[str, Any], int]] = []  # each with the number of the next edge
        self._edges = LinkEdges(len(source))
        self._used: set[str] = set()
        self._rows: list[range] = []
        references = [_label(event["FootnoteReference"]) for event, _, _ in events if _is(event, "FootnoteReference")]
        self._footnotes = {name: number for number, name in enumerate(dict.fromkeys(references), 1)}
        self._defined: set[str] = set()
        self._last_end = 0

    def cuts(self) -> list[Cut]:
        """Return what is to be cut, in order and without overlaps."""
        for event, start, end in self._events:
            self._read(event, start, end)
            if not _is(event, "Start"):
                self._last_end = end
        self._cuts = self._edges.empty() + self._cuts  # before what leaves the same tag its address
        self._cut_definitions()
        self._cut_the_unaccounted()
        disjoint: list[Cut] = []
        for cut in sorted(self._cuts, key=lambda cut: (cut.start, -cut.end)):
            if not disjoint or cut.start >= disjoint[-1].end:
                disjoint.append(cut)
        return disjoint

    def _read(self, event: Any, start: int, end: int) -> None:  # noqa: ANN401 - as pyromark has it
        match event:
            case {"Start": tag}:
                self._read_start(tag, start, end)
            case {"End": "Link"} if self._links:
                self._end_link(*self._links.pop(), start, end)
                self._edges.add([Edge(end, end)])
            case {"End": "TableCell"}:
                self._edges.add([Edge(end, end)])
            case {"FootnoteReference": name}:
                self._edges.show(start, end)
                self._edges.add([Edge(start, start), Edge(end, end)])  # it's a link
                self._cut(Cut(start, end, None, f"[^{self._footnotes[_label(name)]}]"))
            case {"InlineHtml": markup}:
                self._read_inline_html(markup, start, end)
            case {"Text": text}:
                self._read_text(text, start, end)
            case {"Code": code}:
                self._read_text(code, start, end)
            case {"TaskListMarker": _}:
                self._account(start, end)

    def _read_start(self, tag: Any, start: int, end: int) -> None:  # noqa: ANN401 - as pyromark has it
        match tag:
            case {"Image": image}:
                self._read_image(image, start, end)
            case {"Link": link}:
                self._links.append((link, self._edges.add([Edge(start, start)])))
                self._last_end = start + 1
            case {"CodeBlock": kind}:
                self._account(start, end)
                if _is(kind, "Fenced"):
                    self._read_fence(start)
            case {"FootnoteDefinition": name}:
                self._read_footnote(_label(name), start, end)
            case "HtmlBlock":
                self._read_html_block()
            case "TableHead" | "TableRow":
                self._rows.append(range(start, end))

    # ------------------------------------------------------------ what Markdown shows in part

    def _read_image(self, image: dict[str, Any], start: int, end: int) -> None:
        inside = self._inside("Image")
        words = self._source[inside[0][1] : inside[-1][2]] if inside else ""
        self._use(image)
        hidden, address = f"{words} {image['title']}".strip(), str(image["dest_url"])
        kind = Hidden.IMAGE if says_something(hidden) else None
        if address and not is_address(address):
            self._cut(Cut(start, end, kind or Hidden.ADDRESS))
            return
        if hidden or image["link_type"] in _BY_REFERENCE:
            self._cut(Cut(start, end, kind, f"![]({_destination(image)})"))
        self._account(start, end)
        if address:
            self._edges.show(start, end)

    def _end_link(self, link: dict[str, Any], next_edge: int, start: int, end: int) -> None:
        """Give a link its address right behind its words, where it has a title or gets the address from elsewhere.

        One that nothing is shown of goes, and so does an address that may be anything else.
        """
        behind, address = min(self._last_end, end), str(link["dest_url"])
        kind = Hidden.LINK_TITLE if says_something(link["title"]) else None
        self._use(link)
        if link["link_type"] in _SHOWN_IN_FULL:
            pass
        elif not self._edges.shows(start, end):
            self._cut(Cut(start, end, kind or (Hidden.ADDRESS if address else None)))
        elif address and not (is_address(address) and self._edges.is_shown(start, end, next_edge)):
            self._cut(Cut(behind, end, kind or Hidden.ADDRESS, "]()"))
        elif link["title"] or link["link_type"] in _BY_REFERENCE:
            self._cut(Cut(behind, end, kind, f"]({_destination(link)})"))
        self._account(behind, end)

    def _read_text(self, text: str, start: int, end: int) -> None:
        self._account(start, end)
        shown = without_invisible(text)
        if is_visible(shown):
            self._edges.show(start, end)
        elif not shown and text != self._source[start:end]:
            self._cut(Cut(start, end, Hidden.INVISIBLE))

    def _read_fence(self, start: int) -> None:
        line = self._source[start:].partition("\n")[0]
        fence = _FENCE_AND_LANGUAGE.match(line)
        if fence and line[fence.end() :].strip():
            self._cut(Cut(start + fence.end(), start + len(line), Hidden.CODE_INFO))

    def _read_footnote(self, name: str, start: int, end: int) -> None:
        label = _FOOTNOTE_LABEL.search(self._source, start, end)
        if name in self._footnotes and name not in self._defined and label:
            self._defined.add(name)
            self._cut(Cut(label.start(), label.end(), None, f"[^{self._footnotes[name]}]"))
            return
        self._inside("FootnoteDefinition")
        self._cut(Cut(start, end, Hidden.FOOTNOTE))

    # ------------------------------------------------------------ HTML

    def _read_html_block(self) -> None:
        lines = [(start, end) for event, start, end in self._inside("HtmlBlock") if _is(event, "Html")]
        if lines:
            self._read_html(lines)

    def _read_inline_html(self, markup: str, start: int, end: int) -> None:
        if markup == self._source[start:end]:
            self._read_html([(start, end)])
            return
        self._account(start, end)  # over several lines of a quotation, whose marks are no part of it
        html = read_html(markup)
        if html.visible:
            self._edges.show(start, end)
        self._edges.add([replace(edge, start=start, end=end) for edge in html.edges])
        if html.cuts:
            self._cut(Cut(start, end, html.cuts[0].kind, _without(markup, html.cuts)))

    def _read_html(self, lines: list[tuple[int, int]]) -> None:
        """Read markup that stands in these lines; what is begun in it may go on in whatever follows."""
        html = read_html("".join(self._source[start:end] for start, end in lines))
        offsets = [0, *accumulate(end - start for start, end in lines)]
        for (start, end), offset in zip(lines, offsets, strict=False):
            self._account(start, end)
            for cut in html.cuts:
                begin, stop = max(cut.start, offset), min(cut.end, offset + end - start)
                if begin < stop:
                    instead = cut.instead if begin == cut.start else ""
                    at = start - offset
                    self._cut(replace(cut, start=begin + at, end=stop + at, instead=instead))
        places = [place for start, end in lines for place in range(start, end)]
        for start, end in html.visible:
            self._edges.show(places[start], places[end - 1] + 1)
        self._edges.add([replace(edge, start=places[edge.start], end=places[edge.end - 1] + 1) for edge in html.edges])
        if html.comment_goes_on:
            self._hide_comment(lines[-1][1])
        elif html.tag_goes_on:
            self._hide_rest(lines[-1][1])

    def _hide_comment(self, begin: int) -> None:
        """Hide all up to the comment's end. Markdown escapes a `-->` anywhere but in HTML."""
        for event, start, end in self._events:
            if _is(event, "Html") or _is(event, "InlineHtml"):
                stop = end_of_comment(self._source[start:end])
                if stop is not None:
                    self._cut(Cut(begin, start + stop, Hidden.COMMENT))
                    self._read_html([(start + stop, end)])
                    return
        self._cut(Cut(begin, len(self._source), Hidden.COMMENT))

    def _hide_rest(self, begin: int) -> None:
        for _ in self._events:
            pass
        self._cut(Cut(begin, len(self._source), Hidden.UNCLOSED))

    # ------------------------------------------------------------ what Markdown doesn't show at all

    def _cut_definitions(self) -> None:
        """Cut the definitions of links. Those in use have given their addresses to the links."""
        for label, definition in reference_definitions(self._source, options=_GITHUB).items():
            start, end = (self._offsets[definition["span"][edge]] for edge in ("start", "end"))
            self._cut(Cut(start, end, None if _label(label) in self._used else Hidden.LINK_DEFINITION))

    def _cut_the_unaccounted(self) -> None:
        for gap in re.finditer(b"\0+", bytes(self._accounted)):
            start = gap.start()
            for line in self._source[start : gap.end()].splitlines(keepends=True):
                at_margin = start == 0 or self._source[start - 1] == "\n"
                containers = _CONTAINERS.match(line) if at_margin else None
                begin, end = start + (containers.end() if containers else 0), start + len(line.rstrip("\n"))
                if any(character.isalnum() for character in self._source[begin:end]):
                    is_cell = any(begin in row for row in self._rows)
                    self._cut(Cut(begin, end, Hidden.CELL if is_cell else Hidden.LINK_DEFINITION))
                start += len(line)

    # ------------------------------------------------------------ bookkeeping

    def _inside(self, tag: str) -> list[Event]:
        """Take the events up to the end of what has just been started."""
        taken: list[Event] = []
        depth = 1
        for event, start, end in self._events:
            if _is(event, "Start") and (event["Start"] == tag or _is(event["Start"], tag)):
                depth += 1
            elif _is(event, "End") and event["End"] == tag:
                depth -= 1
            if depth == 0:
                break
            taken.append((event, start, end))
        return taken

    def _use(self, link: dict[str, Any]) -> None:
        if link["link_type"] in _BY_REFERENCE:
            self._used.add(_label(link["id"]))

    def _account(self, start: int, end: int) -> None:
        self._accounted[start:end] = b"\1" * (end - start)

    def _cut(self, cut: Cut) -> None:
        self._account(cut.start, cut.end)
        self._cuts.append(cut)


def _events(source: str, offsets: list[int]) -> list[Event]:
    found = events_with_range(source, options=_GITHUB)
    return [(event, offsets[place["start"]], offsets[place["end"]]) for event, place in found]


def _offsets(source: str) -> list[int]:
    """Return the character's number for each byte of the text in UTF-8, and for the end."""
    return [number for number, character in enumerate(source) for _ in character.encode()] + [len(source)]


def _is(event: Any, kind: str) -> bool:  # noqa: ANN401 - pyromark's events are strings or dictionaries of one item
    return isinstance(event, dict) and kind in event


def _label(text: str) -> str:
    """Return what links, definitions and footnotes find each other by."""
    return " ".join(text.split()).casefold()


def _destination(link: dict[str, Any]) -> str:
    address = str(link["dest_url"])
    return f"<{address}>" if re.search(r"[\s()<>]", address) else address

"""What GitHub doesn't show of a text is no part of a prompt; what it shows is. GitHub's own renderer is the judge."""

from __future__ import annotations

import html
import random
import re
import time
from html.parser import HTMLParser
from urllib.parse import unquote

import nh3
import pytest
from cmarkgfm import github_flavored_markdown_to_html as rendered
from cmarkgfm.cmark import Options

from cloud_agent.domain.conversation.hidden_html import Hidden
from cloud_agent.domain.conversation.hidden_text import as_shown
from cloud_agent.domain.conversation.untrusted_text import without_invisible

WORD = re.compile(r"q[a-z]{2}z")
# Each W becomes a word of its own. Markdown's beginnings and ends, in any order.
PIECES = [
    *(
        "W",
        "W W",
        "W",
        "\n",
        "\n\n",
        " ",
        "  ",
        "    ",
        "\t",
        "> ",
        "- ",
        "1. ",
        "# ",
        "#",
        "===",
        "---",
        "*",
        "**",
        "_",
    ),
    *(
        "<!-- ",
        " -->",
        "-->",
        "<!--W-->",
        "<!-- W\nW -->",
        "<?W?>",
        "<!DOCTYPE W>",
        "<W>",
        "&#8203;",
        "&amp;",
        "<",
        "$",
    ),
    *("<b>", "</b>", "<div>", "</div>", "<kbd>", "</kbd>", "<details>", "<summary>", "<a href='u' title='W'>", "</a>"),
    *(
        "\u00e9",
        "\N{GRINNING FACE}",
        "\u200b",
        '<b title="W W">',
        '<img alt="W" src="u">',
        '<img src="W W">',
        '<img src="/W" width="0">',
        '<img src="u" srcset="W 1x, W 2x">',
        '<a href="W W">',
        '<a href="W&#32;W">',
        "<a href=/W href=/W>",
        "<a href='https://x.example/W'>",
        "</a href='/W'>",
        "<p href='/W'>",
        '<video src="W W">',
        "<td>",
        "</td>",
        "`",
        "```",
        "```\n",
        "~~~",
        "~~",
    ),
    *(
        "[",
        "]",
        "(u)",
        "](u)",
        "[](/W)",
        "](/W)",
        "](<W W>)",
        "](W&#32;W)",
        "[W]: <W W>",
        "[k]: /W",
        "](data:,W)",
        "<data:W>",
        '](u "W")',
        "][W]",
        "[W]: u",
        "[W]: u 'W'",
        "[k]: u (W)",
        "[k]",
        "![",
        "!",
        "|",
        "| W ",
    ),
    *("[//]: # (W)\n", "\n[//]: # (W)"),
]


def shown_by_github(markdown: str) -> set[str]:
    """The words on the page, once GitHub's Markdown and a browser's reading of HTML have had their way."""
    page = rendered(markdown, options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES)
    words = html.unescape(nh3.clean(page, tags=set(), clean_content_tags=set()))
    return set(WORD.findall(words + addresses_of_what_is_shown(page)))


def addresses_of_what_is_shown(page: str) -> str:
    """The addresses in it, as a browser reads the page, that lead from something to somewhere."""
    attributes = {"a": {"href"}, "img": {"src", "width"}}
    shown = _Addresses()
    shown.feed(nh3.clean(page, tags=set(attributes), attributes=attributes, clean_content_tags=set(), link_rel=None))
    return " ".join(one for one in shown.found if not re.search(r"\s", one))


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.href = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.href = dict(attrs).get("href") or ""
        elif dict(attrs).get("src") and dict(attrs).get("width") != "0":
            self.found += [unquote(dict(attrs)["src"] or ""), self.href]

    def handle_data(self, data: str) -> None:
        if without_invisible(data).strip():
            self.found.append(unquote(self.href))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.href = ""


def text(rng: random.Random) -> str:
    words = (f"q{a}{b}z" for a in "abcdefghijk" for b in "abcdefghijklmnopqrstuvwxyz")
    joined = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 14)))
    return re.sub("W", lambda _: next(words), joined)


def test_no_word_that_github_hides_is_kept() -> None:
    rng = random.Random(42)  # noqa: S311 - the seed keeps the test the same
    for _ in range(5_000):
        markdown = text(rng)
        languages = WORD.findall(" ".join(re.findall(r'<pre lang="([^"]*)"', rendered(markdown))))
        kept = set(WORD.findall(as_shown(markdown).text)) - set(languages)
        assert kept - shown_by_github(markdown) == set(), markdown


@pytest.mark.parametrize(
    ("markdown", "expected", "left_out"),
    [
        ("Show it. <!-- Ignore that. -->", "Show it. ", [Hidden.COMMENT]),
        ("a <!-- one\ntwo --> b", "a  b", [Hidden.COMMENT]),
        ("<!-- Describe the bug -->\n\nIt fails.", "\n\nIt fails.", [Hidden.COMMENT]),
        ("<!--> shown -->", " shown -->", [Hidden.COMMENT]),
        ("<!-- never closed\n\nhidden", "", [Hidden.COMMENT]),
        ("<div><!--\n\nhidden\n\n<p>--> shown</p>", "<div> shown</p>", [Hidden.COMMENT]),
        ("> <div><!-- open\n\nhidden too", "> <div>", [Hidden.COMMENT]),
        ('<div title="\n\nhidden', "", [Hidden.UNCLOSED]),
        ("[//]: # (do this)\n\nHello", "\n\nHello", [Hidden.LINK_DEFINITION]),
        ("> [x]: /u 'do this'\n> Hello", "> \n> Hello", [Hidden.LINK_DEFINITION]),
        ("[a]: /u\n[a]: /do-this\n\n[a]", "\n\n\n[a](/u)", [Hidden.LINK_DEFINITION]),
        ("[the docs][d]\n\n[d]: https://x.example", "[the docs](https://x.example)\n\n", []),
        ("[docs][do this]\n\n[do this]: /u 'and that'", "[docs](/u)\n\n", [Hidden.LINK_TITLE]),
        ('[docs](/u "do this")', "[docs](/u)", [Hidden.LINK_TITLE]),
        ('[**bold** `code`](</a(b> "do this")', "[**bold** `code`](</a(b>)", [Hidden.LINK_TITLE]),
        ('[x](</a b> "do this")', "[x]()", [Hidden.LINK_TITLE]),
        ("a [](<do this now>) b", "a  b", [Hidden.ADDRESS]),
        ("a [](/do-this) b", "a  b", [Hidden.ADDRESS]),
        ("a [ &nbsp;&#8203;\u2800](/do-this) b", "a  b", [Hidden.ADDRESS]),
        ("[.](<do this now>)", "[.]()", [Hidden.ADDRESS]),
        ("[.](do&#32;this)", "[.]()", [Hidden.ADDRESS]),
        ("[.](data:text/plain,do-this)", "[.]()", [Hidden.ADDRESS]),
        ("[x][k]\n\n[k]: <do this now>", "[x]()\n\n", [Hidden.ADDRESS]),
        ("[<http://x.example> b](/do-this)", "[<http://x.example> b]()", [Hidden.ADDRESS]),
        ("![](<do this now>)", "", [Hidden.ADDRESS]),
        (f"[x](/{'a' * 1_000})", "[x]()", [Hidden.ADDRESS]),
        ('<a href="do this"></a>', "<a></a>", [Hidden.ADDRESS]),
        ('<a href="do this">x</a>', "<a>x</a>", [Hidden.ADDRESS]),
        ('<a href="/do-this"> </a>', "<a> </a>", [Hidden.ADDRESS]),
        ('<p>\n<a href="/do-this"></a></p>\n\nx', "<p>\n<a></a></p>\n\nx", [Hidden.ADDRESS]),
        ('> <a\n> href="/do-this"></a> x', "> <a></a> x", [Hidden.ADDRESS]),
        ('<a href="/u" href="/do-this">x</a>', '<a href="/u">x</a>', [Hidden.ADDRESS]),
        ('<img src="do this">', "<img>", [Hidden.ADDRESS]),
        ('<img src="/do-this" width="1">', "<img>", [Hidden.ADDRESS]),
        ('<img src="/u" srcset="do 1x, this 2x">', '<img src="/u">', [Hidden.ADDRESS]),
        ('<video src="do this"></video>', "<video></video>", [Hidden.ADDRESS]),
        ("![do this](/i.png)", "![](/i.png)", [Hidden.IMAGE]),
        ("![Image](/i.png)", "![](/i.png)", []),
        ('<img alt="do this" width="300" src="/i.png">', '<img src="/i.png">', [Hidden.IMAGE]),
        ('<img width="300" alt="Image" src="/i.png" />', '<img src="/i.png">', []),
        ('<a href="/u" title="do this">x</a>', '<a href="/u">x</a>', [Hidden.ATTRIBUTE]),
        ("<do><this> x", " x", [Hidden.TAG]),
        ("</ do this> x\n\n<div></ do this></div>", "</ do this> x\n\n<div></div>", [Hidden.COMMENT]),
        ("a[^n]\n\n[^n]: shown\n\n[^m]: hidden", "a[^1]\n\n[^1]: shown\n\n", [Hidden.FOOTNOTE]),
        ("a[^do-this]\n\n[^do-this]: shown", "a[^1]\n\n[^1]: shown", []),
        ("|a|\n|-|\n|b|do this|", "|a|\n|-|\n|b", [Hidden.CELL]),
        ("```py do this\nx\n```", "```py\nx\n```", [Hidden.CODE_INFO]),
        ("a&#8203;&#xe0041;b", "ab", [Hidden.INVISIBLE]),
        ("<div>&ZeroWidthSpace;b</div>", "<div>b</div>", [Hidden.INVISIBLE]),
        ("a\u200bb", "ab", [Hidden.INVISIBLE]),
    ],
)
def test_what_github_does_not_show_is_left_out_by_name(markdown: str, expected: str, left_out: list[Hidden]) -> None:
    shown = as_shown(markdown)
    assert (shown.text, list(shown.left_out)) == (expected, left_out)


@pytest.mark.parametrize(
    "markdown",
    [
        "`<!-- x -->` and ``[//]: # (x)``",
        '```html\n<!-- x -->\n<a title="do this">\n[//]: # (x)\n&#8203;\n```',
        "- a\n\n      <!-- x -->\n",
        "    <!-- indented code -->\n",
        "> ~~~\n> <!-- x -->\n> ~~~",
        "<details><summary>Log</summary>\n\nfolded\n\n</details>",
        "\\<!-- escaped --> and &lt;!-- spelled out -->",
        "<script>do this</script>",
        "- [ ] one\n- [x] two\n1) three",
        "# Title #\n\nSetext\n===\n\n***bold** and* ~~gone~~ a&nbsp;b",
        "| a | b |\n|:--|--:|\n| `c` | \\| |",
        "> [!NOTE]\n> Remember",
        "[![](/badge.svg)](https://x.example/run?a=b&c#d) [a](mailto:a@x.example) [b](../c.md#d) [`e`](f)",
        '<a href="https://x.example"><img src="/i.png"></a> <a href="/u">x</a>',
        '<p>\n<a href="https://x.example">\n<img src="/i.png">\n</a>\n</p>',
        "See <https://x.example/a_b> or [this](https://x.example/(a)) [or] this",
        "Caf\u00e9 \u4e2d\u6587 \N{WOMAN}\u200d\N{PERSONAL COMPUTER} \N{HEAVY BLACK HEART}\ufe0f",
        "a < b > c && d <- e, $x^2$, C:\\temp",
        "",
    ],
)
def test_what_github_shows_stays_byte_for_byte(markdown: str) -> None:
    assert as_shown(markdown) == as_shown(as_shown(markdown).text)
    assert (as_shown(markdown).text, as_shown(markdown).left_out) == (markdown, ())


def test_the_end_of_a_comment_is_looked_for_before_invisible_characters_go() -> None:
    assert as_shown("<!-- a --\u200b> hidden --> shown").text == " shown"


def test_code_loses_invisible_characters_alone() -> None:
    assert as_shown("`a\U000e0041<!-- b -->`").text == "`a<!-- b -->`"


def test_the_longest_text_is_read_in_no_time() -> None:
    begun = time.process_time()
    for piece in ("<!-- x -->", "<b a='", "[", "[a]: u\n", "![", "`", "> ", "<a b=", "<!--", "&", "|a", "[^1]: a\n"):
        as_shown(piece * (20_000 // len(piece)))
    assert time.process_time() - begun < 10

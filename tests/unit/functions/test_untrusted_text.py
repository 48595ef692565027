"""What others' words lose wherever they go, and what they keep."""

from __future__ import annotations

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cloud_agent.domain.conversation.foreign_markdown import contained
from cloud_agent.domain.conversation.messages import fenced, plain
from cloud_agent.domain.conversation.pull_request_title import pull_request_title
from cloud_agent.domain.conversation.untrusted_text import masked, without_backlinks, without_invisible

GITHUB = MarkdownIt("gfm-like", {"html": True})
INVISIBLE = [
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xE0000, 0xE0080),
    *range(0xE0100, 0xE01F0),
    *range(0x80, 0xA0),
    *(0x00, 0x08, 0x0B, 0x1B, 0x7F, 0xAD, 0x34F, 0x61C, 0x115F, 0x180E, 0x3164, 0xFEFF, 0xFFA0, 0xFFF9),
]


def test_every_invisible_character_is_taken_out() -> None:
    text = "".join(f"a{chr(code)}b " for code in INVISIBLE)
    assert without_invisible(text) == "ab " * len(INVISIBLE)


@pytest.mark.parametrize(
    "text",
    [
        "\N{HEAVY BLACK HEART}\ufe0f and 1\ufe0f\u20e3",
        "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}, \N{RAINBOW}",
        "\N{WAVING WHITE FLAG}\ufe0f\u200d\N{RAINBOW}",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: the non-joiner is part of the spelling
        "\u0915\u094d\u200d\u0937",  # Hindi: the joiner chooses the form
        "tab\tand\nline, \u00e9\u4e2d\u2028 caf\u0065\u0301",
    ],
)
def test_what_spells_an_emoji_or_a_word_stays(text: str) -> None:
    assert text == without_invisible(text)


@pytest.mark.parametrize("text", ["a\u200d\N{WOMAN}", "\N{WOMAN}\u200d\u200d\N{WOMAN}", "+\ufe0f", "\u200d"])
def test_what_spells_nothing_goes(text: str) -> None:
    assert not set(without_invisible(text)) & {"\u200c", "\u200d", "\ufe0f"}


def test_line_ends_are_newlines() -> None:
    assert without_invisible("a\r\nb\rc") == "a\nb\nc"


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_"),
        ("ghs_527117_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl-x_y", "ghs_"),
        ("github_pat_11AAAAAAA0abcdefghijkl_mnopqrstuvwxyz", "github_pat_"),
        ("sk-ant-api03-abcdefghijklmnopqrstuvwxyz-AA", "sk-ant-"),
        ("gho_16C7\u200be42F292c6912E7710c838347Ae178B4a", "gho_"),
    ],
)
def test_nothing_but_its_kind_is_shown_of_a_token(token: str, kind: str) -> None:
    said = f"I found `{token}`.\n\n```\n{token}\n```"
    assert contained(said, 1_000) == f"I found `{kind}…`.\n\n```\n{kind}…\n```"
    assert kind.replace("_", "\\_") + "…" == plain(token)
    assert f"{kind}…" in fenced(f"npm error {token}")


@pytest.mark.parametrize("text", ["ghp_short", "xghp_16C7e42F292c6912E7710c838347Ae178B4a", "sk-ant-"])
def test_what_is_no_token_stays(text: str) -> None:
    assert text == masked(text)


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/shop/issues/1",
        "HTTP://WWW.GitHub.com/acme/shop/pull/1#discussion_r1",
        "www.github.com/acme/shop/issues/1",
        "https:\\/\\/github\\.com\\/acme/shop/issues\\/1",
        "https://github.com/acme/my\\-shop/discussions/1",
        "https://git.acme.example/acme/shop/issues/1",
    ],
)
@pytest.mark.parametrize("around", ["{}", "[words]({})", "see <{}>", "[words][a]\n\n[a]: {}"])
def test_no_address_refers_to_an_issue(address: str, around: str) -> None:
    said = around.format(address)
    for text in (GITHUB.render(contained(said, 1_000)), GITHUB.render(plain(said))):
        links = html.unescape(text)
        assert not re.search(r"//(?!redirect\.)[\w.]+/\w+/[\w-]+/(issues|pull|discussions)/\d", links)
        assert not re.search(r'"http://(?!redirect\.)(www\.)?github', links)


def test_an_address_at_github_leads_there_all_the_same() -> None:
    assert without_backlinks("See https://github.com/acme/shop/pull/7#discussion_r1.") == (
        "See https://redirect.github.com/acme/shop/pull/7#discussion_r1."
    )


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/acme/shop",
        "https://github.com/acme/shop/blob/main/issues/1",
        "https://docs.github.com/en/issues/1",
        "https://gitlab.example/acme/shop/-/issues/1",
        "https://redirect.github.com/acme/shop/issues/1",
        "src/github.com/acme",
    ],
)
def test_any_other_address_stays(text: str) -> None:
    assert text == without_backlinks(text)


def test_a_pull_requests_title_shows_all_that_is_in_it() -> None:
    assert pull_request_title("Show \N{RIGHT-TO-LEFT OVERRIDE}the\U000e0041 menu", "42") == "Show the menu"
    assert pull_request_title("\u2060\u200b", "42") == "Claude: issue 42"


@given(text=st.text(alphabet=st.sampled_from([*"\u200d\ufe0f\u200b\U000e0041ab\u0915 ", "\N{WOMAN}", "\r", "\n"])))
def test_nothing_is_left_to_take_out(text: str) -> None:
    once = without_invisible(text)
    assert once == without_invisible(once)


def test_the_longest_text_is_read_in_no_time() -> None:
    begun = time.process_time()
    for text in ("https://github.com/" * 3_500, "ghp_" * 16_000, "/a/b" * 16_000, "\u200d" * 65_000, "//a" * 20_000):
        without_backlinks(masked(without_invisible(text)))
    assert time.process_time() - begun < 3

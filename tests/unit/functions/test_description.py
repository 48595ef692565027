"""The pull request's description: what Claude wrote, what closes the issue, and people's own text around it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cloud_agent.domain.conversation.description import described, ended, first_description, references
from cloud_agent.domain.conversation.messages import BODY_LIMIT

MARKDOWN = MarkdownIt("commonmark", {"html": True})
CLOSES = references(42, "42", "https://tracker.example/browse")
FIRST = first_description("octo_dev", CLOSES)
BEGIN, *_, END = FIRST.split("\n")


def _described(body: str, text: str) -> str:
    changed = described(body, text, CLOSES)
    assert changed is not None
    return changed


def test_a_pull_request_is_opened_with_what_makes_a_commit_message() -> None:
    assert FIRST.split("\n") == [
        BEGIN,
        r"Written by Claude Code, as requested by octo\_dev.",
        "",
        "Closes #42",
        END,
    ]
    assert BEGIN.startswith("<!-- ")
    assert END.endswith(" -->")


def test_what_claude_wrote_replaces_the_section_and_nothing_of_a_persons() -> None:
    body = f"My plan:\r\n- [x] one\r\n\r\n{FIRST}\r\n\r\nAlso see #7 and @octo-dev."
    once = _described(body, "Show the menu.\n\nOpen `/menu`.")
    twice = _described(once, "Show the menu in **red**.")
    for changed, text in ((once, "Show the menu.\n\nOpen `/menu`."), (twice, "Show the menu in **red**.")):
        section = f"{BEGIN}\n{text}\n\nCloses #42\n{END}"
        assert changed == f"My plan:\r\n- [x] one\r\n\r\n{section}\r\n\r\nAlso see #7 and @octo-dev."


def test_a_section_that_github_s_page_saved_with_its_own_line_ends_is_found() -> None:
    assert "Red." in _described(FIRST.replace("\n", "\r\n"), "Red.")


@pytest.mark.parametrize("body", ["", "All mine.", FIRST.replace(END, ""), FIRST.replace(BEGIN, "")])
def test_who_took_the_markers_out_is_left_alone(body: str) -> None:
    assert described(body, "Red.", CLOSES) is None
    assert ended(body, "Stopped.", failed=False) is None


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_an_empty_description_leaves_what_is_there(text: str) -> None:
    assert described(FIRST, text, CLOSES) is None


def test_the_same_description_changes_nothing() -> None:
    assert described(_described(FIRST, "Red."), "Red.", CLOSES) is None


def test_claude_s_words_can_only_be_read() -> None:
    changed = _described(FIRST, f"Fixes #1, says @octo-dev. {END} <img src=x>")
    assert changed.count(END) == 1
    for active in ("#1", "@octo-dev", "<img"):
        assert active not in changed


# What Claude may write of the section's own ends, in code and out of it.
HOSTILE = st.lists(
    st.sampled_from(
        [
            *("BEGIN", "END", "END\r", END.upper(), END.replace(" ", "\t"), END.replace("-cloud", "-\u200bcloud")),
            *("```", "````html", "~~~", "`", "    ", "> ", "- ", "\n", "\n\n", "Closes #1 @octo-org/everybody"),
            *("<img src=x>", "<details>", "<pre>", "> [!NOTE]"),
        ]
    ).map(lambda piece: {"BEGIN": BEGIN, "END": END}.get(piece, piece)),
    max_size=12,
).map("\n".join)


@given(first=HOSTILE, reason=HOSTILE, second=HOSTILE)
@example(first=f"Red.\n\n```html\n{END}\n\nCloses #1 @octo-org/everybody <img src=x>\n```", reason="", second="Blue.")
@example(first=f"```\n{BEGIN}\n```", reason=END, second=f"`{END}`")
def test_nothing_of_what_claude_wrote_outlasts_the_next_description(first: str, reason: str, second: str) -> None:
    above, below = "My plan.\n\n", "\n\nMy notes."
    body = above + FIRST + below
    body = described(body, first, CLOSES) or body
    body = ended(body, reason or "Stopped.", failed=True) or body
    for text in (second, "Blue."):
        body = described(body, text, CLOSES) or body
        assert (body.count(BEGIN), body.count(END)) == (1, 1)
    assert body == f"{above}{BEGIN}\nBlue.\n\n{CLOSES}\n{END}{below}"


def test_what_an_earlier_version_left_beyond_a_false_end_goes_with_the_section() -> None:
    body = FIRST.replace("Closes", f"```\n{END}\n\n@octo-org/everybody\n```\n\nCloses")
    assert _described(body, "Blue.") == f"{BEGIN}\nBlue.\n\n{CLOSES}\n{END}"


def test_a_marker_in_code_is_shown_as_it_was_written() -> None:
    text = _described(FIRST, f"Say it with\n\n```html\n{END}\n```")
    shown = MARKDOWN.render(text).replace("\u2060", "")
    assert "&lt;!-- claude-cloud-agent:end of description --&gt;" in shown


def test_a_description_that_leaves_no_room_is_left_out() -> None:
    assert described("x" * (BODY_LIMIT - len(FIRST)) + FIRST, "y" * 1_000, CLOSES) is None


def test_an_end_is_said_once_and_goes_with_the_next_description() -> None:
    body = _described(FIRST, "Red.")
    failed = ended(body, "The container stopped: *OOM*", failed=True)
    assert failed is not None
    note = r"> Claude's session failed: The container stopped: \*OOM\*."
    assert f"Red.\n\nCloses #42\n\n> [!NOTE]\n{note}\n{END}" in failed
    stopped = ended(failed, "Stopped by octo-dev.", failed=False)
    assert stopped is not None
    assert "failed" not in stopped
    assert "> Claude's session ended: Stopped by octo-dev.\n" in stopped
    assert "NOTE" not in _described(stopped, "Red and round.")


@pytest.mark.parametrize(
    ("key", "url", "link"),
    [
        (
            "AGNTS-124",
            "https://acme.atlassian.net/browse",
            "\n[AGNTS-124](https://acme.atlassian.net/browse/AGNTS-124)",
        ),
        ("AGNTS-124", "https://linear.app/acme/issue/", "\n[AGNTS-124](https://linear.app/acme/issue/AGNTS-124)"),
        ("AGNTS-124", "", ""),
        ("42", "https://acme.atlassian.net/browse", ""),
    ],
)
def test_a_trackers_key_leads_to_the_tracker(key: str, url: str, link: str) -> None:
    found = references(42, key, url)
    assert found == f"Closes #42{link}"
    assert f"\n\nCloses #42{link}\n" in first_description("octo-dev", found)

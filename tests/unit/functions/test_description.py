"""The pull request's description: what Claude wrote, what closes the issue, and people's own text around it."""

from __future__ import annotations

import pytest

from cloud_agent.domain.conversation.description import described, ended, first_description, references
from cloud_agent.domain.conversation.messages import BODY_LIMIT

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

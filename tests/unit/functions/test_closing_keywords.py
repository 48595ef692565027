"""What merging would close, by what commit messages say."""

from __future__ import annotations

import time

import pytest

from cloud_agent.domain.conversation.closing_keywords import closed_by, closing_note

REPO = "acme/shop"


def closes(*messages: str) -> tuple[str, ...]:
    return closed_by(messages, REPO, 42)


@pytest.mark.parametrize(
    "keyword", ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"]
)
def test_every_keyword_of_github_closes_in_any_case(keyword: str) -> None:
    assert ("#7",) == closes(f"Show the menu\n\n{keyword.upper()}: #7") == closes(f"{keyword} #7")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("#007", "#7"),
        ("GH-7", "#7"),
        ("acme/SHOP#7", "#7"),
        ("octo-org/octo.repo#7", "octo-org/octo.repo#7"),
        ("https://github.com/acme/shop/issues/7", "#7"),
        ("https://github.com/octo-org/octo-repo/pull/7#issuecomment-1", "octo-org/octo-repo#7"),
    ],
)
def test_every_way_to_name_an_issue_is_known(reference: str, name: str) -> None:
    assert closes(f"Fixes {reference}") == (name,)


@pytest.mark.parametrize("message", ["See #7", "prefix #7", "Fixes the menu of #7", "Closes 7", ""])
def test_a_message_without_a_keyword_right_before_an_issue_closes_nothing(message: str) -> None:
    assert closes(message) == ()


def test_each_issue_is_named_once_and_the_sessions_own_never() -> None:
    assert closes("Fixes #7, fixes #8", "Closes #7, closes #42, closes x/y#42") == ("#7", "#8", "x/y#42")


def test_the_note_refers_to_no_issue_itself() -> None:
    assert closing_note(["#7"]) == "**Merging closes \\#\u20607**, because a commit message says so."
    assert closing_note(["#7", "#8", "x/y#9"]) == (
        "**Merging closes \\#\u20607, \\#\u20608 and x/y\\#\u20609**, because a commit message says so."
    )
    assert closing_note([]) == ""


def test_a_long_message_is_read_in_no_time() -> None:
    begun = time.process_time()
    assert closes("fixes " * 5_000 + "fix:" + " " * 20_000 + "a/" * 10_000) == ()
    assert time.process_time() - begun < 2

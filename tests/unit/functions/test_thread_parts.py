"""Claude's message on a review is divided by its headings, and nothing of it is lost."""

from __future__ import annotations

import pytest

from cloud_agent.domain.conversation.thread_parts import Parts, parts_of


@pytest.mark.parametrize(
    ("one", "overall"),
    [
        ("Thread 1:", "Overall:"),
        ("## Thread 1", "## Overall"),
        ("**Thread 1:**", "**Overall:**"),
        ("**thread 1**:", "_overall_"),
    ],
)
def test_each_thread_has_its_part(one: str, overall: str) -> None:
    message = f"{one}\nRounded.\n\nThread 2:\n\nSorted,\nas asked.\n\n{overall}\nBoth done.\n\n(No files changed.)"
    parts = parts_of(message, 2)
    assert parts == Parts("Both done.\n\n(No files changed.)", {1: "Rounded.", 2: "Sorted,\nas asked."})


def test_a_message_without_headings_is_for_the_whole() -> None:
    message = "Rounded, see Thread 1: it's done.\n  Thread 2: sorted."
    assert parts_of(message, 2) == Parts(message)


def test_what_stands_first_is_for_the_whole_and_what_comes_twice_is_joined() -> None:
    message = "Done.\nThread 1:\nRounded.\nOverall:\nAll.\nThread 1:\nTested."
    assert parts_of(message, 1) == Parts("Done.\n\nAll.", {1: "Rounded.\n\nTested."})


def test_a_thread_that_the_review_does_not_have_is_text() -> None:
    assert parts_of("Thread 1:\nRounded.\nThread 3:\nWhat?", 2) == Parts("", {1: "Rounded.\nThread 3:\nWhat?"})


def test_an_empty_part_is_none() -> None:
    assert parts_of("Thread 1:\n\nOverall:\n", 1) == Parts()

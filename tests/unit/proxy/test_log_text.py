"""A dev server's log as a page may show it."""

from __future__ import annotations

import pytest

from cloud_agent_proxy.log_text import last_lines


def test_the_last_forty_lines_are_kept() -> None:
    assert "\n".join(str(number) for number in range(61, 101)) == last_lines(
        "\n".join(str(number) for number in range(1, 101))
    )


def test_no_more_than_four_kilobytes_are_kept_and_no_letter_is_cut_in_half() -> None:
    shown = last_lines("ü" * 10_000 + "!")
    assert len(shown.encode()) <= 4096
    assert {"ü", "!"} == set(shown)
    assert shown.endswith("!")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;38;5;12mblue\x1b[m", "red and blue"),
        ("\x1b[2K\x1b[1Gdone", "done"),
        ("\x1b]0;a title\x07ready", "ready"),
        ("a\x00b\x07c\x9bd", "abcd"),
        ("one\r\ntwo\ttabbed\n\n", "one\ntwo\ttabbed"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("half a letter \udce4", "half a letter ?"),
        ("", ""),
    ],
)
def test_a_log_is_plain_text(written: str, shown: str) -> None:
    assert shown == last_lines(written)

"""A comment on a line carries the hunk up to that line, on the side that is meant."""

from __future__ import annotations

import pytest

from local_github.diff_hunks import up_to_line

FIRST = ["@@ -1,3 +1,3 @@ def f():", " one", "-two", "+TWO", " three"]
SECOND = ["@@ -10 +10,2 @@", " ten", "+eleven", "\\ No newline at end of file"]
PATCH = "\n".join(FIRST + SECOND)


@pytest.mark.parametrize(
    ("line", "side", "hunk"),
    [
        (1, "RIGHT", FIRST[:2]),
        (2, "LEFT", FIRST[:3]),
        (2, "RIGHT", FIRST[:4]),
        (3, "LEFT", FIRST),
        (3, "RIGHT", FIRST),
        (11, "RIGHT", SECOND[:3]),
    ],
)
def test_a_hunk_ends_with_the_line(line: int, side: str, hunk: list[str]) -> None:
    assert "\n".join(hunk) == up_to_line(PATCH, line, side)


@pytest.mark.parametrize(("line", "side"), [(4, "RIGHT"), (9, "LEFT"), (11, "LEFT"), (12, "RIGHT"), (0, "RIGHT")])
def test_a_line_that_no_hunk_shows_has_none(line: int, side: str) -> None:
    assert up_to_line(PATCH, line, side) is None
    assert up_to_line("", line, side) is None

"""Where a line stands in a file's diff."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def up_to_line(patch: str, line: int, side: str) -> str | None:
    """Return the hunk that shows a line (as it is on side RIGHT, or was on LEFT), ending with it; None if none does."""
    hunk: list[str] = []
    for text, numbers in _numbered(patch):
        if text.startswith("@@"):
            hunk = []
        hunk.append(text)
        if numbers.get(side) == line:
            return "\n".join(hunk)
    return None


def _numbered(patch: str) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield each line of a patch with the numbers it has on the sides on which it exists; a header has none."""
    left = right = 0
    for text in patch.split("\n") if patch else []:
        if header := _HEADER.match(text):
            left, right = int(header[1]), int(header[2])
            yield text, {}
        elif text.startswith("-"):
            yield text, {"LEFT": left}
            left += 1
        elif text.startswith("+"):
            yield text, {"RIGHT": right}
            right += 1
        elif text.startswith("\\"):  # "\ No newline at end of file"
            yield text, {}
        else:
            yield text, {"LEFT": left, "RIGHT": right}
            left, right = left + 1, right + 1

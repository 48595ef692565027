"""Unified diffs, line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MOST_LINES = 400
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_HEADERS = ("diff --git ", "index ", "--- ", "+++ ", "new file mode ", "deleted file mode ", "similarity index ")


@dataclass(frozen=True)
class DiffLine:
    """One line as it is drawn."""

    kind: str
    """`add`, `del`, `hunk` or `same`."""
    text: str
    number: int | None
    """Its number in the new file; of a removed line, in the old one."""


@dataclass(frozen=True)
class Diff:
    """A diff of one file."""

    lines: tuple[DiffLine, ...]
    additions: int
    deletions: int
    left_out: int
    """How many lines are not shown."""


def read_diff(text: str) -> Diff:
    """Return the diff's lines with their numbers, 400 at most; what is no diff has none."""
    lines: list[DiffLine] = []
    old = new = 0
    in_hunk = False
    for line in text.split("\n"):
        if hunk := _HUNK.match(line):
            old, new, in_hunk = int(hunk[1][:9]), int(hunk[2][:9]), True
            lines.append(DiffLine("hunk", line, None))
        elif not in_hunk and (line.startswith(_HEADERS) or not line):
            continue
        elif line.startswith("+"):
            lines.append(DiffLine("add", line[1:], new or None))
            new += 1
        elif line.startswith("-"):
            lines.append(DiffLine("del", line[1:], old or None))
            old += 1
        elif line.startswith(" "):
            lines.append(DiffLine("same", line[1:], new or None))
            old, new = old + 1, new + 1
    kinds = [line.kind for line in lines]
    return Diff(tuple(lines[:_MOST_LINES]), kinds.count("add"), kinds.count("del"), max(0, len(lines) - _MOST_LINES))

"""The table of a run, on the standard output and as it grows in a file: docs/repositories.md has one of them."""

from __future__ import annotations

import contextlib
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT = "no"
TABLE = Path(__file__).parents[2] / ".real-repositories" / "table.md"


@dataclass
class Row:
    """What was seen of one repository."""

    name: str
    by: str = ""
    state: str = ""
    seconds: str = ""
    page: str = ""
    edit: str = ""
    turn: str = ""
    commit: str = ""
    beside: str = ""


_HEADS = (
    *("Repository", "Found by", "Preview", "Up after", "Page", "Edit shows"),
    *("Claude's first turn began", "Its commit was pushed", "Preview by then"),
)
_rows: dict[str, Row] = {}


@contextlib.contextmanager
def row(name: str) -> Iterator[Row]:
    """The repository's row, to be filled in as a trial goes on; all are written down when it ends, however it ends."""
    try:
        yield _rows.setdefault(name, Row(name))
    finally:
        lines = [_HEADS, ("---",) * len(_HEADS), *map(astuple, _rows.values())]
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text("".join(map(_line, lines)))


def show() -> None:
    """Print all rows, and what they come to."""
    if not _rows:
        return
    print(f"\n{TABLE.read_text()}")  # noqa: T201
    if tried := [one for one in _rows.values() if one.state]:
        print(f"{sum(bool(one.edit) for one in tried)} of {len(tried)} come up and follow an edit.")  # noqa: T201
    if given := [one for one in _rows.values() if one.turn]:
        begun, pushed = sum(one.turn != NOT for one in given), sum(bool(one.commit) for one in given)
        print(f"Claude's first turn began in {begun} of {len(given)}, and its commit was pushed in {pushed}.")  # noqa: T201


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"

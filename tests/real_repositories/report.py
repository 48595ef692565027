"""The table of a run, on the standard output and as it grows in a file: docs/repositories.md has one of them."""

from __future__ import annotations

import contextlib
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


_HEADS = ("Repository", "Found by", "Preview", "Up after", "Page", "Edit shows")
_rows: list[Row] = []


@contextlib.contextmanager
def row(name: str) -> Iterator[Row]:
    """A row, to be filled in as the trial goes on; it's written down when the trial ends, however it ends."""
    if not _rows:
        TABLE.write_text(_line(_HEADS) + _line(("---",) * len(_HEADS)))
    _rows.append(Row(name))
    try:
        yield _rows[-1]
    finally:
        with TABLE.open("a") as table:
            table.write(_line(astuple(_rows[-1])))


def show() -> None:
    """Print all rows."""
    if _rows:
        came_up = sum(bool(one.edit) for one in _rows)
        print(f"\n{TABLE.read_text()}\n{came_up} of {len(_rows)} come up and follow an edit.")  # noqa: T201


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"

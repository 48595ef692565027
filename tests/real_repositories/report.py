"""The table of a run, on the standard output: docs/repositories.md has one of them."""

from __future__ import annotations

from dataclasses import astuple, dataclass


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


def add(row: Row) -> None:
    """Remember a row, which is filled in as the trial goes on."""
    _rows.append(row)


def show() -> None:
    """Print all rows."""
    if not _rows:
        return
    lines = [_HEADS, ("---",) * len(_HEADS), *(astuple(row) for row in _rows)]
    print("\n" + "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines))  # noqa: T201
    print(f"\n{sum(bool(row.edit) for row in _rows)} of {len(_rows)} come up and follow an edit.")  # noqa: T201

"""The table of permissions, each with the test that breaks without it: Markdown."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.mutation.grants import ASSUME, MANAGED
from tests.mutation.proofs import PROOFS, Proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tests.mutation.grants import Grant

Row = tuple[str, str, str]  # the role, what it may do, the test that breaks

_BEGIN, _END = "<!-- mutation table: written by `make mutation` -->", "<!-- end of the mutation table -->"
_HEAD = "| Role | May | Breaks without it | How it broke |\n|---|---|---|---|"
_LONGEST = 110  # characters of what a test says
_AWS_ERROR = re.compile(r"An error occurred \((\w+)\) when calling the (\w+) operation")


@dataclass(frozen=True)
class Mutant:
    """The permissions of one role that one line of proofs.py covers, to be taken away together."""

    proof: Proof
    role: str
    gone: tuple[Grant, ...]

    @property
    def row(self) -> Row:
        """The first three cells of its row."""
        actions, resources = (
            ", ".join(f"`{one}`" for one in dict.fromkeys(grant.key[part] for grant in self.gone)) for part in (1, 2)
        )
        may = {ASSUME: f"be assumed by {resources}", MANAGED: f"what {resources} allows"}
        return f"`{self.role}`", may.get(self.gone[0].action, f"{actions} on {resources}"), f"`{self.proof.test}`"


def mutants(permissions: Sequence[Grant]) -> list[Mutant]:
    """Every line of proofs.py with the permissions that it covers, role by role."""
    found = [
        Mutant(proof, role, tuple(grant for grant in permissions if grant.role == role and proof.covers(grant)))
        for role in dict.fromkeys(grant.role for grant in permissions)
        for proof in PROOFS
    ]
    return [mutant for mutant in found if mutant.gone]


def rows_of(permissions: Sequence[Grant]) -> list[Row]:
    """What the table says of each line, but for how its test broke."""
    return [mutant.row for mutant in mutants(permissions)]


def table(rows: Iterable[tuple[Row, str]]) -> str:
    """The table of these rows, each with how its test broke."""
    return "\n".join([_HEAD, *(f"| {' | '.join(row)} | {how} |" for row, how in rows)])


def in_words(message: str) -> str:
    """How a test broke, from what pytest says of it: short enough for a cell."""
    if error := _AWS_ERROR.search(message):
        return f"{error[1]} on {error[2]}"
    first = next(iter(message.strip().splitlines()), "").replace("|", "/").replace("`", "'")
    return textwrap.shorten(first, _LONGEST, placeholder=" …")


def shown_in(document: Path) -> dict[Row, str]:
    """The rows of the document's table, each with how its test broke."""
    _, _, rows = _parts(document)[1].partition(_HEAD)
    cells = [[cell.strip() for cell in line.split(" | ")] for line in rows.strip().splitlines()]
    return {(role.removeprefix("| "), may, test): how.removesuffix(" |") for role, may, test, how in cells}


def write(document: Path, tried: Mapping[Row, str], order: Sequence[Row], run: str) -> None:
    """Put these rows in their places in the document's table, and say of which run they are.

    Rows of this run replace those of earlier ones; what is not in `order` any more goes.
    """
    shown = {**shown_in(document), **tried}
    before, middle, after = _parts(document)
    earlier = [line for line in middle.splitlines() if line.startswith("- ") and set(order) > set(tried)]
    text = table((row, shown[row]) for row in order if row in shown)
    runs = "\n".join([*earlier, f"- {run}"])
    document.write_text(f"{before}{_BEGIN}\n\n{runs}\n\n{text}\n\n{_END}{after}")


def _parts(document: Path) -> tuple[str, str, str]:
    before, begin, rest = document.read_text().partition(_BEGIN)
    middle, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{document} has no place for the table, between {_BEGIN} and {_END}")
    return before, middle, after

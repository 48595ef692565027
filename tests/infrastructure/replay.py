"""The incident, replayed: each of its five faults alone, in pairs, and all of them; what the doctor finds of each.

`make replay` prints the table and ends with 1 when a fault is found as anything but what it is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from tests.infrastructure.faults.incident import INCIDENT, expected_checks, set_up
from tests.infrastructure.world import Mode, World, build, tear_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.findings import Report

_WIDTH = 140  # of the table where there is no terminal to ask
ALL = tuple(fault.number for fault in INCIDENT)
ALONE = tuple(combinations(ALL, 1))
CASES = (*ALONE, *combinations(ALL, 2), ALL)


@dataclass(frozen=True)
class Verdict:
    """What the doctor found of some of the five faults."""

    mode: Mode
    numbers: tuple[int, ...]
    expected: tuple[str, ...]
    """The checks that are to find something, one finding each, in the order of the path."""
    found: tuple[str, ...]
    """The check of each finding, in the order of the report."""
    unknown: tuple[str, ...]
    """Checks that could not look, with their reasons."""
    seconds: float

    @property
    def is_as_expected(self) -> bool:
        """Whether each fault was found once, as what it is, and nothing else was."""
        return self.expected == self.found and not self.unknown

    @property
    def first(self) -> str:
        """The first broken hop."""
        return self.found[0] if self.found else ""


def replay(world: World, numbers: tuple[int, ...]) -> Verdict:
    """Set the faults up in a whole world and have the doctor look; the world is left broken."""
    set_up(world, numbers)
    began = time.monotonic()
    report = world.diagnose()
    return Verdict(
        mode=world.mode,
        numbers=numbers,
        expected=tuple(expected_checks(numbers)),
        found=found_checks(report),
        unknown=tuple(f"{outcome.check}: {outcome.reason}" for outcome in report.unknown),
        seconds=time.monotonic() - began,
    )


def found_checks(report: Report) -> tuple[str, ...]:
    """The check of each finding, in the order of the report."""
    return tuple(outcome.check for outcome in report.broken for _ in outcome.findings)


def main() -> int:
    """Replay it all in both load balancer modes, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.infrastructure.replay", description=__doc__)
    parser.add_argument("--mode", choices=list(Mode), action="append", help="one mode alone")
    modes = [Mode(mode) for mode in parser.parse_args().mode or list(Mode)]
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        for verdict in _replays(modes, Path(folder)):
            verdicts.append(verdict)
            sys.stderr.write("." if verdict.is_as_expected else "F")
            sys.stderr.flush()
    sys.stderr.write("\n")
    _show(verdicts)
    return 0 if all(verdict.is_as_expected for verdict in verdicts) else 1


def _replays(modes: list[Mode], folder: Path) -> Iterator[Verdict]:
    for mode in modes:
        (folder / mode).mkdir()
        world = build(mode, folder / mode)
        try:
            for numbers in CASES:
                yield replay(world, numbers)
                world.bring_back()
        finally:
            tear_down(world)


def _show(verdicts: list[Verdict]) -> None:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    for fault in INCIDENT:
        console.print(f"{fault.number}  {fault.words}  [dim]{fault.check}[/dim]", highlight=False)
    table = Table("load balancer", "faults", "detected", "first broken hop", "findings", "seconds")
    for verdict in verdicts:
        gone = " (the rule went with its load balancer)" if len(verdict.expected) < len(verdict.numbers) else ""
        table.add_row(
            verdict.mode,
            " ".join(map(str, verdict.numbers)),
            "yes" if verdict.is_as_expected else "NOT AS EXPECTED",
            verdict.first,
            ", ".join((*verdict.found, *verdict.unknown)) + gone,
            f"{verdict.seconds:.1f}",
        )
    console.print(table)
    wrong = [verdict for verdict in verdicts if not verdict.is_as_expected]
    for verdict in wrong:
        console.print(f"{verdict.mode} {verdict.numbers}: expected {', '.join(verdict.expected)}", highlight=False)
    console.print(f"{len(verdicts) - len(wrong)} of {len(verdicts)} as expected", highlight=False)


if __name__ == "__main__":
    sys.exit(main())

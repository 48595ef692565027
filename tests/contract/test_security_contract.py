"""docs/security.md: each wall has tests that there are."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests import nightly
from tests.containers.walls.walls import WALLS

if TYPE_CHECKING:
    from pathlib import Path

ROW = re.compile(r"^\| (?!Threat \||Wall \||-)(.*) \|$", re.MULTILINE)
NONE = "\u2013"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[([\w-]+)\])?`")


def test_every_wall_of_the_threat_model_has_a_test_in_ci(root: Path) -> None:
    threats, _, _ = (root / "docs/security.md").read_text().partition("## Each wall by itself")
    rows = [row.split(" | ") for row in ROW.findall(threats)]

    assert rows
    assert [row for row in rows if len(row) != 5] == []
    assert [threat for threat, _, in_ci, _, _ in rows if not _are_tests(in_ci, in_containers=False)] == []
    assert [threat for threat, _, _, rest, _ in rows if rest != NONE and not _are_tests(rest, in_containers=True)] == []


def test_every_test_that_the_threat_model_names_exists(root: Path) -> None:
    named = TEST.findall((root / "docs/security.md").read_text())

    assert [f"{path}::{name}" for path, name, _ in named if name not in _tests(root / path)] == []
    assert [f"{path}: {case}" for path, _, case in named if case and case not in _words_beside(root / path)] == []


def test_no_test_that_the_threat_model_names_is_left_to_the_night(root: Path) -> None:
    named = {f"{path}::{name}" for path, name, _ in TEST.findall((root / "docs/security.md").read_text())}

    assert [entry.test for entry in nightly.listed() if entry.test in named and not entry.stays] == []


def test_the_table_of_single_walls_is_what_is_taken_down(root: Path) -> None:
    _, _, section = (root / "docs/security.md").read_text().partition("## Each wall by itself")
    rows = [row.split(" | ") for row in ROW.findall(section)]

    listed = {
        wall.lower(): {f"{name}[{case}]" if case else name for _, name, case in TEST.findall(tests)}
        for wall, _, tests, _ in rows
    }
    assert listed == {name.lower(): wall.red for name, wall in WALLS.items()}


def _are_tests(cell: str, *, in_containers: bool) -> bool:
    """Return whether a cell names tests, and nothing else, that all run in containers or all don't."""
    paths = [path for path, _, _ in TEST.findall(cell)]
    kinds = {path.startswith("tests/containers/") for path in paths}
    return kinds == {in_containers} and not TEST.sub("", cell).strip(" ,")


def _tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _words_beside(path: Path) -> set[str]:
    """Return the words of a test and of the programs that it runs, which its cases are named by."""
    return {word for source in path.parent.rglob("*.py") for word in re.findall(r"[\w-]+", source.read_text())}

"""docs/architecture.md: its two walks lead through files that there are, each from one to the next."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

LONGEST = 12  # files that a newcomer has to open
# Reached by StartExecution and over HTTP, not by an import.
TAKES_OVER = {"statemachine/session.asl.json", "agent/src/cloud_agent_runner/inbox.py"}
SOURCES = ("functions/", "agent/src/")


@pytest.fixture(scope="module")
def walks(root: Path) -> list[list[str]]:
    section = (root / "docs/architecture.md").read_text().partition("## Two walks\n")[2].partition("\n## ")[0]
    return [re.findall(r"^\| \d+ \| `([^`]+)` \|", walk, re.MULTILINE) for walk in section.split("\nFrom ")[1:]]


def test_there_are_two_walks_and_none_is_long(walks: list[list[str]]) -> None:
    assert len(walks) == 2
    assert all(2 <= len(walk) <= LONGEST for walk in walks)


def test_every_file_of_a_walk_is_tied_to_one_before_it(root: Path, walks: list[list[str]]) -> None:
    astray = [
        file
        for walk in walks
        for index, file in enumerate(walk)
        if index and file not in TAKES_OVER and not any(_are_tied(root, file, before) for before in walk[:index])
    ]
    assert astray == []


def test_what_takes_over_without_an_import_is_there(root: Path, walks: list[list[str]]) -> None:
    assert {file for walk in walks for file in walk} >= TAKES_OVER
    assert [file for file in TAKES_OVER if not (root / file).is_file()] == []


def _are_tied(root: Path, one: str, other: str) -> bool:
    """Whether either file imports the other."""
    return _module(other) in _imported(root / one) or _module(one) in _imported(root / other)


def _imported(path: Path) -> set[str]:
    """The modules that a file imports, and what it imports from them, by their full names."""
    if path.suffix != ".py":
        return set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _module(file: str) -> str:
    prefix = next(source for source in SOURCES if file.startswith(source))
    return file.removeprefix(prefix).removesuffix(".py").replace("/", ".")

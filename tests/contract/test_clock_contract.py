"""What the calendar may not decide: docs/testing.md."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CLOCKS = {"time.time", "datetime.now", "date.today", "dt.datetime.now", "dt.date.today"}


def _evaluated_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below the node but what functions do when they're called."""
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for part in (*child.decorator_list, child.args):
                yield from _evaluated_at_import(part)
                yield part
        elif not isinstance(child, ast.Lambda):
            yield from _evaluated_at_import(child)


def reads_of_the_clock(text: str) -> list[int]:
    """Return the lines in which a module reads the clock while it's imported."""
    if not any(f"{clock}(" in text for clock in CLOCKS):
        return []
    calls = [node for node in _evaluated_at_import(ast.parse(text)) if isinstance(node, ast.Call)]
    return sorted({call.lineno for call in calls if ast.unparse(call.func) in CLOCKS})


def test_a_token_is_made_when_its_test_runs_and_not_ten_minutes_before_when_it_is_collected() -> None:
    folders = (ROOT / "tests", *(ROOT / "emulators").glob("*/tests"))
    modules = [path for folder in folders for path in folder.rglob("test_*.py")]
    found = {path.name: lines for path in modules if (lines := reads_of_the_clock(path.read_text()))}
    assert found == {}


def test_each_way_to_read_it_at_import_is_found() -> None:
    at_import = (
        "NOW = time.time()\n"
        "LATER = {'exp': int(time.time()) + 60}\n"
        "@parametrize('now', [datetime.now(UTC)])\n"
        "def test(now, then=date.today()): ...\n"
    )
    assert reads_of_the_clock(at_import) == [1, 2, 3, 4]
    when_called = "def test():\n    return time.time()\nCLOCK = lambda: time.time()\n"
    assert reads_of_the_clock(when_called) == []

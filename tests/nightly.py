"""Which tests `make test` leaves to `make test-all`: those that tests/nightly.toml lists, each with its reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

LIST = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Entry:
    """A test of the list: its function's node id, and what `make test` keeps of its parameters, `*` being any text."""

    test: str
    stays: tuple[str, ...]

    def keeps(self, parameters: str) -> bool:
        """Return whether `make test` keeps the function with these parameters."""
        return any(fnmatchcase(parameters, pattern) for pattern in self.stays)


def listed(file: Path = LIST) -> list[Entry]:
    """Return the list's entries, whichever their reason."""
    groups = tomllib.loads(file.read_text(encoding="utf-8"))["group"]
    return [Entry(test["test"], tuple(test.get("stays", ()))) for group in groups for test in group["tests"]]


def mark(items: list[pytest.Item], entries: list[Entry]) -> None:
    """Mark the tests that are listed with `nightly`.

    Raises:
        pytest.UsageError: the list names a test or a parameter's id that its file, which was collected, doesn't have.
    """
    found: dict[str, list[tuple[str, pytest.Item]]] = {}
    for item in items:
        function, _, parameters = item.nodeid.partition("[")
        found.setdefault(function, []).append((parameters.removesuffix("]"), item))
    files = {function.partition("::")[0] for function in found}
    for entry in entries:
        tests = found.get(entry.test, [])
        missing = [one for one in entry.stays if not any(fnmatchcase(parameters, one) for parameters, _ in tests)]
        if entry.test.partition("::")[0] in files and (missing or not tests):
            raise pytest.UsageError(f"{LIST.name} names what isn't there: {entry.test}{missing or ''}")
        for parameters, item in tests:
            if not entry.keeps(parameters):
                item.add_marker("nightly")

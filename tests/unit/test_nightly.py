"""The list of tests that `make test` leaves out names what there is, and keeps what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests import nightly
from tests.nightly import Entry

KINDS = "tests/e2e/test_kinds.py::test_each_kind"
WHOLE = "tests/e2e/test_kinds.py::test_a_whole_system"


@dataclass
class Item:
    """As much of a collected test as is looked at."""

    nodeid: str
    markers: list[str] = field(default_factory=list)

    def add_marker(self, name: str) -> None:
        self.markers.append(name)


def marked(*entries: Entry) -> dict[str, list[str]]:
    items: list[Any] = [Item(f"{KINDS}[{kind}]") for kind in ("500-own", "502-own", "502-[existing]")] + [Item(WHOLE)]
    nightly.mark(items, list(entries))
    return {item.nodeid: item.markers for item in items}


def test_what_is_listed_is_marked_but_for_the_parameters_that_stay() -> None:
    assert marked(Entry(KINDS, ("502-own", "*existing]")), Entry(WHOLE, ())) == {
        f"{KINDS}[500-own]": ["nightly"],
        f"{KINDS}[502-own]": [],
        f"{KINDS}[502-[existing]]": [],
        WHOLE: ["nightly"],
    }


@pytest.mark.parametrize("entry", [Entry(f"{KINDS}_of_old", ()), Entry(KINDS, ("502-own", "503"))])
def test_a_name_of_old_is_refused_while_its_file_is_collected(entry: Entry) -> None:
    with pytest.raises(pytest.UsageError, match=r"names what isn't there: tests/e2e/test_kinds\.py::test_each_kind"):
        marked(entry)


def test_a_file_that_is_not_collected_is_not_missed() -> None:
    assert not any(marked(Entry("tests/asl/test_other.py::test_other", ())).values())


def test_nothing_is_listed_twice() -> None:
    entries = nightly.listed()

    assert len({entry.test for entry in entries}) == len(entries) > 1

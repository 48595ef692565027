"""What people read changes only where a review sees it: each text is compared with its file in `snapshots/`."""

from __future__ import annotations

import pytest
from tests.texts.catalogue import SNAPSHOTS, catalogue

TEXTS = catalogue()


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_as_reviewed(name: str) -> None:
    """`make texts` writes the files anew."""
    assert TEXTS[name] == (SNAPSHOTS / name).read_text(encoding="utf-8")


def test_every_file_is_of_a_text() -> None:
    assert {path.name for path in SNAPSHOTS.iterdir()} == set(TEXTS)

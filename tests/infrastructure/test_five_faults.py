"""Each of the incident's faults is found once, as what it is, alone and beside others; `make replay` is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.infrastructure.replay import CASES, replay

if TYPE_CHECKING:
    from tests.infrastructure.world import World


@pytest.mark.parametrize("numbers", CASES, ids=lambda numbers: "+".join(map(str, numbers)))
def test_each_fault_is_found_once_and_the_first_on_the_path_first(world: World, numbers: tuple[int, ...]) -> None:
    verdict = replay(world, numbers)
    assert (verdict.expected, ()) == (verdict.found, verdict.unseen)

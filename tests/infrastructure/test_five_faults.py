"""Each of the incident's faults is found once, as what it is, alone and beside all others; pairs: `make replay`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.infrastructure.replay import ALL, ALONE, Verdict, replay
from tests.infrastructure.world import Mode

if TYPE_CHECKING:
    from tests.infrastructure.world import World


@pytest.mark.parametrize("numbers", [*ALONE, ALL], ids=lambda numbers: "+".join(map(str, numbers)))
def test_each_fault_is_found_once_and_the_first_on_the_path_first(world: World, numbers: tuple[int, ...]) -> None:
    verdict = replay(world, numbers)
    assert (verdict.expected, ()) == (verdict.found, verdict.unknown)


@pytest.mark.parametrize(
    ("found", "unknown"),
    [
        ((), ()),
        (("dns-record",), ()),
        (("load-balancer", "load-balancer"), ()),
        (("load-balancer", "stack-drift"), ()),
        (("load-balancer",), ("roles: not allowed: iam:GetRole",)),
    ],
)
def test_a_replay_in_which_a_fault_is_missed_repeated_or_unknown_is_not_as_expected(
    found: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    verdict = Verdict(Mode.OWN, (1,), ("load-balancer",), ("load-balancer",), (), 0.0)
    assert verdict.is_as_expected
    assert not replace(verdict, found=found, unknown=unknown).is_as_expected

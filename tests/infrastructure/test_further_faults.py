"""Each hop's own faults are found by its own check, and by no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.infrastructure.faults.visitor_path import VISITOR_PATH_FAULTS
from tests.infrastructure.faults.workloads import WORKLOAD_FAULTS
from tests.infrastructure.replay import found_checks

if TYPE_CHECKING:
    from tests.infrastructure.faults.fault import Fault
    from tests.infrastructure.world import World

FAULTS = (*VISITOR_PATH_FAULTS, *WORKLOAD_FAULTS)


@pytest.mark.parametrize(
    ("_shared_world", "fault"),
    [pytest.param(mode, fault, id=f"{fault.name}-{mode}") for fault in FAULTS for mode in fault.modes],
    indirect=["_shared_world"],
)
def test_a_fault_is_found_by_the_check_of_its_hop_alone(world: World, fault: Fault) -> None:
    fault.set_up(world)
    report = world.diagnose()
    assert ({fault.check}, ()) == (set(found_checks(report)), report.unknown)

"""The doctor finds nothing wrong with what is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.infrastructure.faults.incident import set_up
from tests.infrastructure.replay import ALL

from cloud_agent_doctor.engine.findings import Status

if TYPE_CHECKING:
    from tests.infrastructure.world import World


def test_a_whole_system_with_a_session_is_healthy_at_every_hop(world: World) -> None:
    report = world.diagnose()
    judged = {outcome.check: (outcome.status, outcome.reason, outcome.findings) for outcome in report.outcomes}
    assert {check: seen for check, seen in judged.items() if seen[0] is not Status.HEALTHY} == {}
    assert report.exit_code == 0


def test_the_world_is_brought_back_from_all_five_faults(world: World) -> None:
    set_up(world, ALL)
    assert world.diagnose().finding_count
    world.bring_back()
    assert world.diagnose().exit_code == 0

"""A dev server that breaks is told to the control plane with what it said, and so is its return."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane


def test_a_dev_server_that_breaks_and_is_fixed_is_reported_each_time(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    agent = start_agent()
    agent.until(lambda: control_plane.told("ready"))
    program = agent.work_tree / "dev.py"
    working = program.read_text()
    program.write_text("raise SystemExit('the kitchen is on fire')\n")
    for process in agent.family("dev.py"):
        process.kill()

    broken = agent.until(lambda: control_plane.told("dev-server"))[0]
    assert broken["answering"] is False
    agent.until(lambda: "the kitchen is on fire" in control_plane.told("dev-server")[-1]["log"])

    program.write_text(working)
    agent.until(lambda: control_plane.told("dev-server")[-1] == {"answering": True, "log": ""}, 40)
    assert control_plane.told("done") == []

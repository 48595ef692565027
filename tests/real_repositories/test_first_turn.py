"""Claude gets its turn in any repository, whatever becomes of its installation and its dev server."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from tests.real_repositories import report

from cloud_agent_runner.workspace.network_environment import network_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub
    from tests.real_repositories.starters import Subject

_BEGIN_SECONDS = 60
# The first change may wait for the installation for a minute.
_END_SECONDS = 180


@pytest.mark.conformance
@pytest.mark.timeout(1200)
def test_claude_gets_its_turn_and_its_commit_is_pushed(
    subject: Subject, github: GitHub, control_plane: ControlPlane, start_agent: Callable[..., Agent]
) -> None:
    github.commit({})
    control_plane.ask("Leave a note", "scripted-model: run echo Claude was here. > claude-was-here.txt")
    with report.row(subject.name) as row:
        row.turn, started = report.NOT, time.monotonic()
        agent = start_agent(**network_environment(os.environ))
        agent.until(lambda: control_plane.events("turn_started"), _BEGIN_SECONDS)
        row.turn = f"{time.monotonic() - started:.0f} s"
        turn = agent.until(lambda: control_plane.events("turn_finished"), _END_SECONDS)[0]
        row.beside = (control_plane.told("preview") or [{"state": "starting"}])[-1]["state"]
        assert (turn["is_error"], github.show("claude-was-here.txt")) == (False, "Claude was here."), turn["result"]
        row.commit = f"{time.monotonic() - started:.0f} s"

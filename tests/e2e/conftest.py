"""Two whole systems for these folders: the real `sam deploy`, real processes, each on ports and in a folder of its own.

`system` runs the real agent with the real Claude Code: what needs it is in `agent/`, which has a worker of its own.
`stage` runs a quick scripted agent in its place, with tight limits, for what is about a session's life and not about
Claude's work.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.rows import PullRequest, Rows, open_pull_request
from tests.e2e.system import System
from tests.kit.ports import free_ports

from cloud_agent_local import up as lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator


# Few slots, so that a queue forms; an agent is given up for silent after seconds, for it beats every four.
STAGE = {
    "AgentImageUri": f"local/python{Path(__file__).with_name('scripted_agent.py')}",
    "StagingAgentImageUri": f"local/python{Path(__file__).with_name('staging_agent.py')}",
    "MaxSessions": "3",
    "MaxSessionsPerRepository": "3",
    "TrackerKeys": "SLOW,MUTE",  # by the branch's name the scripted agent knows what to do before it asks
    "MaxTurns": "50",
    "AgentHeartbeatTimeoutSeconds": "25",
    "AgentReadyTimeoutSeconds": "60",
    "Canary": "enabled",
}


@pytest.fixture(scope="session")
def _system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    # A browser for each session and turn would take more of this machine than all the rest of it does.
    installation = lifecycle.up(tmp_path_factory.mktemp("system"), free_ports(), {"Pictures": "off"})
    try:
        yield System(installation)
    finally:
        lifecycle.down(installation)


@pytest.fixture
def system(_system: System) -> Iterator[System]:
    """The system with the real agent, without a session: whatever a test leaves alive is ended after it."""
    yield _system
    _system.end_all()


@pytest.fixture(scope="session")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    installation = lifecycle.up(tmp_path_factory.mktemp("stage"), free_ports(), STAGE)
    try:
        yield System(installation)
    finally:
        lifecycle.down(installation)


@pytest.fixture
def stage(_stage: System) -> Iterator[System]:
    """The system with the scripted agent, without a session: whatever a test leaves alive is ended after it."""
    yield _stage
    _stage.github.call("DELETE", "/admin/faults")
    _stage.end_all()


@pytest.fixture(scope="session")
def _pull_request(_stage: System) -> PullRequest:
    return open_pull_request(_stage)


@pytest.fixture
def rows(stage: System, _pull_request: PullRequest) -> Iterator[Rows]:
    """Sessions made of rows alone, on a pull request of the stage; deleted after the test."""
    made = Rows(stage, _pull_request)
    try:
        yield made
    finally:
        made.take_away()

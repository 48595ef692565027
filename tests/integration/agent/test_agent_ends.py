"""How a session ends, well or badly, and that nothing stays behind."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
from tests.integration.agent.conftest import BRANCH, git

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub

CONFIG = ".github/claude-cloud-agent.yml"


def _start_a_long_turn(agent: Agent, control_plane: ControlPlane) -> list[psutil.Process]:
    """Have Claude wait in its shell, beside a command in the background and a stubborn one cut loose from all."""
    wait = "python3 -c 'import time; time.sleep(100)'"
    stubborn = "python3 -c 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(100)'"
    cut_loose = f"(setsid {stubborn} 96 > /dev/null 2>&1 &)"
    control_plane.ask("Take your time", f"scripted-model: run {cut_loose}; {wait} 97 & {wait} 98")
    agent.until(lambda: all(agent.family(word) for word in ("96", "97", "98", "dev.py")))
    return agent.family()


def _survivors(family: list[psutil.Process]) -> list[psutil.Process]:
    alive = []
    for process in family:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


def test_sigterm_in_the_middle_of_a_turn_leaves_no_process(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    agent = start_agent()
    family = _start_a_long_turn(agent, control_plane)
    agent.process.send_signal(signal.SIGTERM)

    assert agent.exit_status(10) == 0
    assert _survivors(family) == []
    assert control_plane.told("done") == []


def test_the_end_of_the_session_stops_the_agent_in_the_middle_of_a_turn(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    agent = start_agent()
    family = _start_a_long_turn(agent, control_plane)
    control_plane.over = True

    assert agent.exit_status(15) == 0
    assert _survivors(family) == []
    assert control_plane.told("done") == []


def test_a_dev_server_that_dies_is_started_again(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    agent = start_agent()
    first = agent.until(lambda: agent.family("dev.py"))[-1]
    first.kill()

    def answered_by_another() -> bool:
        try:
            another = any(process.pid != first.pid for process in agent.family("dev.py"))
            return another and urlopen(f"http://{control_plane.address}:3000/", timeout=5).status == 200
        except URLError:
            return False

    agent.until(answered_by_another)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {CONFIG: "dev: python3 dev.py\nhealthpath: /\n"},
            (
                "RepositoryConfigError",
                [f"On the branch claude/42: {CONFIG} line 2: `healthpath`: unknown key; did you mean `health_path`?"],
            ),
        ),
    ],
)
def test_a_session_that_cannot_begin_says_why(
    start_agent: Callable[..., Agent],
    github: GitHub,
    control_plane: ControlPlane,
    files: dict[str, str | None],
    expected: tuple[str, list[str]],
) -> None:
    error, texts = expected
    github.commit(files)
    git("push", "--quiet", "origin", f"{BRANCH}:main", at=github.checkout)
    agent = start_agent()

    assert agent.exit_status() == 1
    done = control_plane.told("done")[0]
    assert ("failed", error, "the-task-token") == (done["outcome"], done["error"], done["task_token"])
    assert [text for text in texts if text not in done["message"]] == []
    assert control_plane.told("ready") == []


def test_a_branch_that_is_not_there_is_told_in_words(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    agent = start_agent(BRANCH="claude/43")

    assert agent.exit_status() == 1
    done = control_plane.told("done")[0]
    assert done["error"] == "CloneFailedError"
    assert "Couldn't clone the branch claude/43 from" in done["message"]


def test_a_missing_variable_is_named(
    start_agent: Callable[..., Agent], log_of: Callable[[Agent], list[dict[str, Any]]]
) -> None:
    agent = start_agent(TASK_TOKEN="", MAX_TURNS="many")

    assert agent.exit_status() == 2
    reason = log_of(agent)[-1]["reason"]
    assert "TASK_TOKEN: field required" in reason
    assert "MAX_TURNS: input should be a valid integer" in reason
    assert "many" not in reason

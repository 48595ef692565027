"""A turn that uses up processes or memory ends itself, and neither the supervisor nor the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.system import System

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

FORK_BOMB = (
    "import os, time; first = os.getpid()\\nwhile True:\\n  try: os.fork()\\n  except OSError as error:\\n"
    "    if os.getpid() == first: print(error.strerror); break\\n    time.sleep(600)"
)
# Most of the 4 GB at once, the rest slowly enough for whoever looks once a second.
FILL_MEMORY = (
    "import time; kept = [b'x' * 10**8 for _ in range(25)]\\nwhile True: kept.append(b'x' * 10**8); time.sleep(0.4)"
)


def test_a_session_outlives_a_fork_bomb_and_a_turn_that_fills_the_memory(system: System) -> None:
    session = system.start("Use it all up", _run_python(FORK_BOMB))
    pull_number = system.wait_for_turn(session)["pull_number"]
    system.wait_for_comment(pull_number, "Resource temporarily unavailable")

    system.comment(pull_number, _run_python(FILL_MEMORY))
    answer = system.wait_for_comment(pull_number, "ran out of memory", 120)
    assert "Stopped: the container ran out of memory (" in answer
    assert "`AgentMemory`" in answer

    system.comment(pull_number, "scripted-model: run echo still $((40 + 2)) here; ps -o pid= -u workspace | wc -l")
    system.wait_for_comment(pull_number, "still 42 here")
    assert system.row(session.id)["status"] == "RUNNING"


def _run_python(program: str) -> str:
    """Return a prompt that has a program of Python's run, its lines separated by a backslash and an n."""
    return f"""scripted-model: run python3 -c "exec(\\"{program}\\")\""""

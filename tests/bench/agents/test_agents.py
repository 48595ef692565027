"""The simulation runs with the functions as they are now, and says what an agent asks for."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.costs import sessions
from tests.costs.stack import LIMITS
from tests.kit.stack_template import ROOT


def test_an_agent_asks_as_often_as_the_costs_assume() -> None:
    """Half of the agents at the busy pace, half at the idle one."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.agents", "--agents", "8", "--seconds", "60"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    (rate,) = re.findall(r"requests of an agent: (\S+) a second", ran.stdout)
    busy, idle = LIMITS["busy_poll_seconds"], LIMITS["idle_poll_seconds"]
    response = 0.04 + sessions.POLLED_MS / 1_000
    expected = 0.5 / (busy + response) + 0.5 / (idle + response)
    assert 0.9 < float(rate) / expected < 1.1

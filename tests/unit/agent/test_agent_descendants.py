from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, subprocess, time
import psutil
from cloud_agent_runner.workspace.descendants import adopt_orphans, bury_orphans
adopt_orphans()
subprocess.run(["/bin/sh", "-c", "sleep 0.2 &"], check=True)
waited_for = subprocess.Popen(["true"])
deadline = time.monotonic() + 10
while not any(child.status() == "zombie" and child.pid != waited_for.pid for child in psutil.Process().children()):
    assert time.monotonic() < deadline
    time.sleep(0.02)
dead = bury_orphans(set())
assert len(dead) == 2, dead
assert waited_for.wait() == 0
assert bury_orphans(dead) == set()
assert psutil.Process().children() == []
"""


@pytest.mark.skipif(sys.platform != "linux", reason="adopting orphans is Linux's")
def test_an_orphan_is_adopted_and_buried_and_others_are_left_to_who_waits_for_them() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=os.environ, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

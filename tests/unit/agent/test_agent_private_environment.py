from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, json, os, sys
from cloud_agent_runner.private_environment import take_environment
taken = take_environment()
print(json.dumps({
    "taken": taken.get("TASK_TOKEN"),
    "left": sorted(os.environ),
    "proc": open("/proc/self/environ").read(),
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "pid": os.getpid(),
    "child": os.popen("env").read(),
    "flags": [sys.flags.safe_path, sys.flags.no_user_site],
}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and prctl are Linux's")
def test_a_taken_environment_is_nowhere_to_be_seen() -> None:
    named = {"PATH": os.environ["PATH"], "HOME": "/somewhere", "LANG": "C.UTF-8", "GIT_SSL_CAINFO": "/ca.pem"}
    environment = {**named, "PYTHONPATH": os.pathsep.join(sys.path), "TASK_TOKEN": "the-secret"}
    argv = [sys.executable, "-P", "-s", "-c", PROGRAM]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=30)
    seen = json.loads(output)

    assert seen["taken"] == "the-secret"
    assert set(seen["left"]) == set(named)
    assert "GIT_SSL_CAINFO=/ca.pem" in seen["child"]
    assert "the-secret" not in seen["proc"] + seen["child"]
    assert seen["flags"] == [True, 1]
    assert (0, process.pid) == (seen["dumpable"], seen["pid"])

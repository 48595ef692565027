"""How the command starts: what every use of it waits for, completion on a terminal among them."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"cloud_agent_doctor.checks", "dns", "github", "boto3", "httpx", "cryptography", "psutil", "multiprocessing"}


def test_the_commands_start_without_what_some_of_them_alone_need() -> None:
    """The doctor's libraries, and clients of AWS and GitHub, would triple the time that each command takes to begin."""
    program = (
        f"import sys, cloud_agent_cli.main, cloud_agent_local.commands;print(*sorted({HEAVY} & sys.modules.keys()))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""

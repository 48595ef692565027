"""How the command starts."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"cloud_agent_doctor.checks", "dns", "github"}


def test_the_commands_start_without_what_the_doctor_alone_needs() -> None:
    """Its libraries would more than double the time that each command takes to begin."""
    program = f"import sys, cloud_agent_cli.main; print(*sorted({HEAVY} & sys.modules.keys()))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""

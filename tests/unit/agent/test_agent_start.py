"""What an agent imports before the clone begins."""

from __future__ import annotations

import subprocess
import sys


def test_the_clone_does_not_wait_for_the_import_of_claudes_sdk() -> None:
    program = "import sys, cloud_agent_runner.supervisor; print('claude_agent_sdk' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout == "False\n"

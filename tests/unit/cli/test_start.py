"""What every use of the command waits for, completion on a terminal among them."""

from __future__ import annotations

import subprocess
import sys

IMPORTED = "import sys, cloud_agent_cli.main; print(*sys.modules)"


def test_help_and_completion_wait_for_no_client_of_aws_or_github() -> None:
    imported = subprocess.run([sys.executable, "-c", IMPORTED], check=True, capture_output=True, text=True)

    assert "cloud_agent_local.commands" in imported.stdout.split()
    assert {"boto3", "httpx", "cryptography", "psutil", "multiprocessing"} & set(imported.stdout.split()) == set()

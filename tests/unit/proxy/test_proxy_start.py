"""What a proxy imports as it starts."""

from __future__ import annotations

import subprocess
import sys


def test_a_proxy_that_nobody_signs_in_to_starts_without_what_signs_and_seals() -> None:
    program = "import sys, cloud_agent_proxy.program; print({'aiodynamo', 'jwt', 'nacl'} & sys.modules.keys())"

    imported = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert imported == "{'aiodynamo'}\n"

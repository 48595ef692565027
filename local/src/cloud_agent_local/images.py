"""The programs that the stack's container images run on this machine.

Each starts as its Dockerfile's entry point does. -P and -s keep the working directory and HOME's site-packages off
sys.path: what a repository leaves there must not run in the supervisor.
"""

from __future__ import annotations

import sys

AGENT = "claude-cloud-agent/agent:local"
PROXY = "claude-cloud-agent/proxy:local"

ENTRY_POINTS: dict[str, list[str]] = {
    AGENT: [sys.executable, "-P", "-s", "-m", "cloud_agent_runner"],
    PROXY: [sys.executable, "-P", "-s", "-m", "cloud_agent_proxy"],
}

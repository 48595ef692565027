"""The agent container's program: `python -m cloud_agent_runner`."""

from __future__ import annotations

import sys

from cloud_agent_runner.private_environment import take_environment

if __name__ == "__main__":
    environment = take_environment()
    # Only now, because taking the environment starts the program anew: this half second is spent once.
    from cloud_agent_runner.supervisor import supervise

    sys.exit(supervise(environment))

"""The agent container's program: `python -m cloud_agent_runner`."""

from __future__ import annotations

import gc
import sys

from cloud_agent_runner.private_environment import take_environment

if __name__ == "__main__":
    environment = take_environment()
    gc.disable()  # imports leave next to nothing to collect, and each pass would walk all that is loaded by then
    # Only now, because taking the environment starts the program anew: this half second is spent once.
    from cloud_agent_runner.supervisor import supervise

    gc.freeze()
    gc.enable()
    sys.exit(supervise(environment))

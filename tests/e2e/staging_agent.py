"""The scripted agent in the version that is tried out: it does the same and says it in other words."""

from __future__ import annotations

import runpy
from pathlib import Path

if __name__ == "__main__":
    scripted_agent = runpy.run_path(str(Path(__file__).with_name("scripted_agent.py")))
    scripted_agent["Agent"].says = "Tried out"
    scripted_agent["main"]()

"""A build backend: pip runs it, and so it isn't only the package's code that does as it likes."""

from __future__ import annotations

import os
from pathlib import Path

with Path("/tmp/red-team/caught-pip").open("a", encoding="utf-8") as file:  # noqa: S108 - the container's own
    file.write(f"{os.getuid()}\n")

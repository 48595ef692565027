"""A build backend: pip runs it, and so it isn't only the package's code that does as it likes."""

from __future__ import annotations

import os
from pathlib import Path

Path(f"/tmp/red-team/caught-pip.{os.getuid()}").touch()  # noqa: S108 - the container's own

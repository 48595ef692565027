"""How much a folder's volume takes yet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_BYTES = 500 * 1024**2


class DiskSpace:
    """Says when a folder's volume is almost full: at 500 MB, and then each time half of what was left is gone.

    So whoever comes next has something to tidy up with. With 500 MB free again, all is as at first.
    """

    def __init__(self, folder: Path, *, least_bytes: int = _LEAST_BYTES) -> None:
        self._folder = folder
        self._first_least = self._least = least_bytes

    def left(self) -> int:
        """Return the bytes that are free for others than root."""
        volume = os.statvfs(self._folder)
        return volume.f_bavail * volume.f_frsize

    def runs_out(self) -> bool:
        """Say whether less is left than there has to be."""
        left = self.left()
        if left >= self._first_least:
            self._least = self._first_least
        if left >= self._least:
            return False
        self._least = left // 2
        return True

"""What Git LFS keeps of a file, and the pointer that stands for it ("Git LFS: Specification").

Of as little as will do: the secret scanner's process has it in memory for as long as the session lasts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# Where the work tree has objects, and where the supervisor's repository has those that are about to be stored.
OBJECTS = Path(".git/lfs/objects")
OUTGOING = Path("lfs/outgoing")
VERSION = "version https://git-lfs.github.com/spec/v1\n"
# What every pointer is smaller than, in bytes.
POINTER_LIMIT = 1024
_POINTER = re.compile(rf"{re.escape(VERSION)}oid sha256:(?P<oid>[0-9a-f]{{64}})\nsize (?P<size>[0-9]{{1,15}})\n?")


@dataclass(frozen=True)
class LfsObject:
    """A content that Git LFS keeps, by its SHA-256, and its size in bytes."""

    oid: str
    size: int

    @property
    def path(self) -> str:
        """Where it is below a folder of objects."""
        return f"{self.oid[:2]}/{self.oid[2:4]}/{self.oid}"

    def is_in(self, work_tree: Path) -> bool:
        """Return whether a work tree has it."""
        return (work_tree / OBJECTS / self.path).is_file()


def pointed_at(text: str) -> LfsObject | None:
    """Return what a file stands for if it's a pointer, and no extension has a part in it."""
    pointer = _POINTER.fullmatch(text)
    return LfsObject(pointer["oid"], int(pointer["size"])) if pointer else None

"""`python -I -S place.py STORE OBJECTS`: put the content of files in Git LFS where their pointers are.

STORE has objects that the supervisor brought; OBJECTS is the work tree's own folder of them, below `.git`. The input is
a list of "BLOB OID PATH", each ended by NUL. A file is replaced only while it's exactly the pointer that BLOB is; what
was replaced is printed likewise as "BLOB PATH".

It runs as the workspace's user in the work tree, with nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path

_SHA1_DIGITS = 40
# What every pointer is smaller than ("Git LFS: Specification").
_POINTER_LIMIT = 1024


def main(store: Path, objects: Path) -> None:
    """Put each file in place; what can't be is left as it is."""
    for entry in filter(None, sys.stdin.buffer.read().split(b"\0")):
        blob, oid, path = os.fsdecode(entry).split(" ", 2)
        below = f"{oid[:2]}/{oid[2:4]}/{oid}"
        with suppress(OSError):
            if not (objects / below).exists():
                _copy(store / below, objects / below, objects.parent / "tmp")
            if _is_pointer(Path(path), blob):
                _copy(objects / below, Path(path), objects.parent / "tmp")
                sys.stdout.buffer.write(os.fsencode(f"{blob} {path}\0"))


def _copy(source: Path, target: Path, drafts: Path) -> None:
    """Have `target` be a copy of `source` from one moment to the next; its own mode stays."""
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
    drafts.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = drafts / f"placed-{os.getpid()}"
    shutil.copyfile(source, draft)
    draft.chmod(mode)
    draft.replace(target)


def _is_pointer(path: Path, blob: str) -> bool:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode) or about.st_size >= _POINTER_LIMIT:
        return False
    content = path.read_bytes()
    algorithm = hashlib.sha1 if len(blob) == _SHA1_DIGITS else hashlib.sha256
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest() == blob


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

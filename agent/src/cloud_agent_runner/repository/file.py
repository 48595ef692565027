"""Reads files of the repository, which may be of any size, and no files at all.

A branch can hold symbolic links to `/dev/zero` or to the supervisor's own files, and gigabytes under any name. Nothing
here waits, follows a link out of the work tree, or reads more than its caller allows.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

# What people write in one is a tenth of it; of the worst, some of what looks at it takes seconds for as much.
_TEXT_LIMIT_BYTES = 256 * 1024
_OBJECT_LIMIT_BYTES = 1024 * 1024
_HEAD_BYTES = 4096


def read_repository_file(work_tree: Path, name: str, limit: int) -> bytes:
    """Return what a regular file inside the work tree holds, if that is at most `limit` bytes.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it can't be read; `strerror` says why.
    """
    content = _read(work_tree, name, limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it's larger than {limit} bytes", name)
    return content


def read_repository_head(work_tree: Path, name: str) -> str:
    """Return the first 4 KiB of a file of the repository, of whatever size; nothing where it can't be read.

    For lock files, which say first how they're written, and may have megabytes.
    """
    try:
        return _read(work_tree, name, _HEAD_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _read(work_tree: Path, name: str, size: int) -> bytes:
    try:
        # Not to wait for a writer, if it's a FIFO.
        descriptor = os.open(_inside(work_tree, name), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except NotADirectoryError as error:
        raise FileNotFoundError(error.errno, error.strerror, name) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it isn't a regular file", name)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(size)
    finally:
        os.close(descriptor)


def read_repository_text(work_tree: Path, name: str) -> str:
    """Return what a file of the repository holds; nothing where it's no text, can't be read, or has more than 256 KiB.

    With a NUL in it it's no text, as to Git.
    """
    return _text(work_tree, name, _TEXT_LIMIT_BYTES)


def read_repository_object(work_tree: Path, name: str) -> dict[str, Any]:
    """Return the JSON object that a file of up to 1 MiB holds; empty where it holds none, or can't be read."""
    try:
        value = json.loads(_text(work_tree, name, _OBJECT_LIMIT_BYTES))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(work_tree: Path, name: str, limit: int) -> str:
    try:
        text = read_repository_file(work_tree, name, limit).decode()
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if "\0" in text else text


def has_repository_file(work_tree: Path, name: str) -> bool:
    """Return whether there is a regular file of this name inside the work tree."""
    try:
        return stat.S_ISREG(os.lstat(_inside(work_tree, name)).st_mode)
    except OSError:
        return False


def _inside(work_tree: Path, name: str) -> str:
    """Return the file's path with its links followed, if that is inside the work tree."""
    try:
        path = os.path.realpath(work_tree / name)
    except ValueError as error:  # a NUL, or half of a surrogate pair
        raise FileNotFoundError(errno.ENOENT, "no file can have this name", name) from error
    if not Path(path).is_relative_to(os.path.realpath(work_tree)):
        raise OSError(errno.EPERM, "it's a symbolic link that leads outside the repository", name)
    return path

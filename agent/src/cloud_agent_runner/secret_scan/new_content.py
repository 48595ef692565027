"""What the commits between two others bring: each new version of a file, read from a bare repository in pieces."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_GIT = shutil.which("git") or "git"
# Nothing but the repository's own configuration decides what git does.
_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "LANG": "C.UTF-8",
    "HOME": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_SUBMODULE = "160000"
# A file's size doesn't decide how much memory reading it takes. Pieces overlap by more than the longest private key.
_PIECE_BYTES = 8 << 20
_OVERLAP_BYTES = 64 << 10


@dataclass(frozen=True)
class NewFile:
    """One version of a file, by its blob, where it was first committed. `is_new`: nothing published is at `path`."""

    blob: str
    commit: str
    path: str
    is_new: bool


class NewContent:
    """The commits to `head` that neither `base` nor one of `published` has: those are on GitHub already.

    Every method raises subprocess.CalledProcessError where git fails.
    """

    def __init__(self, repository: str, base: str, head: str, *published: str) -> None:
        self.repository = Path(repository)
        self._published = (base, *published)
        without = [f"^{commit}" for commit in self._published]
        self.commits = self._git("rev-list", "--reverse", "--topo-order", head, *without).decode().split()

    def files(self) -> list[NewFile]:
        """Return each version of each file that what is published doesn't have at any path, oldest first.

        A file of a merge is one that differs from all of the merge's parents.
        """
        known, paths = self._published_files
        files: dict[tuple[str, bytes], NewFile] = {}
        for commit, blob, path in self._changes:
            if blob not in known:
                text = path.decode(errors="replace")
                files.setdefault((blob, path), NewFile(blob, commit, text, is_new=path not in paths))
        return list(files.values())

    def new_paths(self) -> dict[str, str]:
        """Return each path that nothing published is at, whatever is there, and the commit that it came with."""
        _, paths = self._published_files
        new: dict[str, str] = {}
        for commit, _, path in self._changes:
            if path not in paths:
                new.setdefault(path.decode(errors="replace"), commit)
        return new

    def published(self, values: Collection[str]) -> set[str]:
        """Return those of some one-line values that a published file has."""
        if not values:
            return set()
        patterns = "\n".join(values).encode()
        try:
            listing = self._git("grep", "-a", "-F", "-h", "-o", "-f", "-", *self._published, "--", given=patterns)
        except subprocess.CalledProcessError as error:
            if error.returncode == 1:  # nothing found
                return set()
            raise
        return set(listing.decode(errors="replace").splitlines())

    @cached_property
    def _published_files(self) -> tuple[set[str], set[bytes]]:
        """The blobs, and the paths, that something published has."""
        known, paths = set[str](), set[bytes]()
        for commit in self._published:
            listing = self._git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")
            entries = [entry.split(b"\t", 1) for entry in listing if entry]
            known |= {meta.split()[-1].decode() for meta, _ in entries}
            paths |= {path for _, path in entries}
        return known, paths

    @cached_property
    def _changes(self) -> list[tuple[str, str, bytes]]:
        """Commit, blob and path of every file that a commit adds or changes."""
        return list(self._changed_files())

    def _changed_files(self) -> Iterator[tuple[str, str, bytes]]:
        given = "".join(f"{commit}\n" for commit in self.commits).encode()
        options = ("--stdin", "-r", "-c", "-z", "--root", "--no-renames", "--diff-filter=d")
        fields = iter(self._git("diff-tree", *options, given=given).split(b"\0"))
        commit = ""
        for field in fields:
            if not field.startswith(b":"):
                commit = field.decode()
                continue
            # Before the status: the mode, then the blob, of each parent and last of the commit itself.
            *modes_and_blobs, _status = field.lstrip(b":").decode().split(" ")
            path = next(fields)
            if modes_and_blobs[len(modes_and_blobs) // 2 - 1] != _SUBMODULE:
                yield commit, modes_and_blobs[-1], path

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        command = (_GIT, "-C", str(self.repository), *arguments)
        return subprocess.run(command, env=_ENVIRONMENT, input=given, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603 - no shell


class ObjectReader:
    """Reads a repository's objects through one git process."""

    def __init__(self, repository: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - no shell
            (_GIT, "-C", repository, "cat-file", "--batch"),
            env=_ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._requests: IO[bytes] = _opened(self._process.stdin)
        self._objects: IO[bytes] = _opened(self._process.stdout)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def pieces(self, name: str) -> Iterator[tuple[int, bytes]]:
        """Yield an object's content, each piece with the number of its first line. Read it to the end."""
        self._requests.write(f"{name}\n".encode())
        self._requests.flush()
        yield from pieces_of(self._objects, int(self._objects.readline().split()[2]))
        self._objects.read(1)  # the newline after each object


def pieces_of(stream: IO[bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the next `size` bytes of a stream, each piece with the number of its first line.

    Raises:
        EOFError: it ended before.
    """
    remaining, first_line, piece = size, 1, b""
    while remaining:
        overlap = piece[-_OVERLAP_BYTES:]
        first_line += piece.count(b"\n") - overlap.count(b"\n")
        piece = overlap + stream.read(min(remaining, _PIECE_BYTES))
        if len(piece) == len(overlap):
            raise EOFError(f"{remaining} bytes are missing")
        remaining -= len(piece) - len(overlap)
        yield first_line, piece


def _opened(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream

"""The secret scanner: what looks like a secret in a text, and in the commits of a push.

Of a push it looks at every version of every file in the commits to HEAD that neither BASE nor PUBLISHED has, at its
path, and at their messages: a secret that one commit adds and the next removes would be published, too. What a file of
BASE or PUBLISHED has is published anyway.

It only looks: it asks nobody whether a secret works, and tells nobody the secrets of a push.
"""

from __future__ import annotations

import ctypes
import resource
import struct
import sys
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from kingfisher_sdk import DetectionPolicy, Rules, Scanner

from cloud_agent_runner.git.lfs.lfs_object import OUTGOING, POINTER_LIMIT, pointed_at
from cloud_agent_runner.secret_scan.found_secret import FoundSecret
from cloud_agent_runner.secret_scan.new_content import NewContent, NewFile, ObjectReader, pieces_of
from cloud_agent_runner.secret_scan.rules import (
    COMPILED_RULES,
    EXTRA_RULES,
    REPORTED_ALONE,
    is_extra,
    is_sample,
    kind_of,
)
from cloud_agent_runner.secret_scan.secret_files import secret_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY_LIMIT_BYTES = 3 << 30
_CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3 of linux/capability.h, and the size of its two sets
_CAPABILITY_SETS_BYTES = 24
_MAX_SECRETS = 1000
# Of each object of Git LFS, which may have gigabytes: secrets are in small files.
_LFS_BYTES = 64 << 20


@dataclass(frozen=True)
class _Secret:
    """What was found, with what only this process may know: a line of the value. None: a file's name gave it away."""

    found: FoundSecret
    value: str | None


def secrets_between(repository: str, base: str, head: str, *published: str) -> list[FoundSecret]:
    """Return what looks like a secret in the commits to `head`, and isn't in `base` or one of `published`.

    A value is reported once for each file, and no more than a thousand are.

    Raises:
        subprocess.CalledProcessError: git failed.
    """
    content = NewContent(repository, base, head, *published)
    with closing(ObjectReader(repository)) as objects:
        secrets = list(islice(_secrets(content, objects), _MAX_SECRETS))
    known = content.published({secret.value for secret in secrets if secret.value})
    return list(dict.fromkeys(secret.found for secret in secrets if secret.value not in known))


def find_secrets(scanner: Scanner, content: bytes) -> Iterator[tuple[str, str, int]]:
    """Yield kind, value and line of each secret in a text, line by line.

    A value that several rules find is of a kind in EXTRA_RULES, rather than of the scanner's own.
    """
    seen = set[tuple[int, str]]()
    for found in sorted(scanner.scan(content), key=lambda found: (found.location["line"], not is_extra(found.rule_id))):
        place = (found.location["line"], found.secret)
        is_reported = found.visible or found.rule_id == REPORTED_ALONE
        if is_reported and not is_sample(found.rule_id, found.secret) and place not in seen:
            seen.add(place)
            yield kind_of(found.rule_id), found.secret, found.location["line"]


@cache
def secret_scanner() -> Scanner:
    """Return a scanner.

    It isn't told a file's name, which could make it look away, and a comment beside a value doesn't allow the value:
    both are the author's to choose.
    """
    return Scanner(Rules([EXTRA_RULES], cache_dir=COMPILED_RULES), policy=DetectionPolicy(inline_ignores=False))


def _secrets(content: NewContent, objects: ObjectReader) -> Iterator[_Secret]:
    scanner = secret_scanner()
    for commit in content.commits:
        for _, piece in objects.pieces(commit):
            for kind, value, _ in find_secrets(scanner, piece):
                yield _Secret(FoundSecret(kind, None, 1, commit), _longest_line(value))
    yield from _in_paths(content, scanner)
    seen: set[tuple[str, str]] = set()
    for file in content.files():
        for first_line, piece in _pieces(content, objects, file.blob):
            kinds = set()
            for kind, value, line in find_secrets(scanner, piece):
                kinds.add(kind)
                if (file.path, value) not in seen:
                    seen.add((file.path, value))
                    found = FoundSecret(kind, file.path, first_line + line - 1, file.commit)
                    yield _Secret(found, _longest_line(value))
            if file.is_new and first_line == 1:
                yield from _by_name(file, piece, kinds)


def _in_paths(content: NewContent, scanner: Scanner) -> Iterator[_Secret]:
    """Yield what names of files and folders have. The path that is told of it has something else in its place."""
    paths = [(path.replace("\n", " "), commit) for path, commit in content.new_paths().items()]
    for kind, value, number in find_secrets(scanner, "\n".join(path for path, _ in paths).encode()):
        path, commit = paths[number - 1]
        yield _Secret(FoundSecret(kind, path.replace(value, "…"), 1, commit), value)


def _pieces(content: NewContent, objects: ObjectReader, blob: str) -> Iterator[tuple[int, bytes]]:
    """Yield what a file has, and what is to be stored in Git LFS with it where it's a pointer."""
    pointer = None
    for first_line, piece in objects.pieces(blob):
        pointer = pointed_at(piece.decode(errors="replace")) if len(piece) < POINTER_LIMIT else None
        yield first_line, piece
    stored = content.repository / OUTGOING / pointer.path if pointer else None
    if stored and stored.exists():
        with stored.open("rb") as file:
            yield from pieces_of(file, min(stored.stat().st_size, _LFS_BYTES))


def _by_name(file: NewFile, content: bytes, kinds: set[str]) -> Iterator[_Secret]:
    named = secret_file(file.path, content)
    if named and named[0] not in kinds:
        yield _Secret(FoundSecret(named[0], file.path, named[1], file.commit), None)


def _longest_line(value: str) -> str:
    return max(value.splitlines() or [""], key=len)


def confine() -> None:
    """Give up the capabilities that the supervisor passes on to what it starts, and limit this process's memory."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT_BYTES, _MEMORY_LIMIT_BYTES))
        if ctypes.CDLL(None).capset(struct.pack("Ii", _CAPABILITY_VERSION, 0), bytes(_CAPABILITY_SETS_BYTES)) != 0:
            raise OSError("the capabilities couldn't be given up")

"""Commits, comparisons and diffs, read from git."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_github.bare_repository import BareRepository, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

# Fields end in NUL, the one character no field can hold.
_FIELDS = ("%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")
_FORMAT = "--format=" + "%x00".join(_FIELDS)
_STATUS_WORDS = {"A": "added", "D": "removed", "M": "modified", "T": "changed", "R": "renamed", "C": "copied"}


@dataclass(frozen=True)
class Commit:
    """A commit as git shows it; dates are ISO 8601 with their own offset."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Identity
    authored_at: str
    committer: Identity
    committed_at: str
    message: str


@dataclass(frozen=True)
class FileChange:
    """What happened to one file between two trees; `patch` is None for a binary file."""

    path: str
    previous_path: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


def log(git: BareRepository, *revisions: str, limit: int | None = None, oldest_first: bool = False) -> list[Commit]:
    """Return the commits of full shas, `sha..sha` ranges or `^sha`, the newest first unless asked otherwise."""
    options = ([f"--max-count={limit}"] if limit else []) + (["--reverse"] if oldest_first else [])
    output = git.run("log", "-z", _FORMAT, *options, "--end-of-options", *revisions, "--")
    fields = output.decode(errors="replace").split("\0")
    width = len(_FIELDS)
    return [_commit(fields[start : start + width]) for start in range(0, len(fields) - width + 1, width)]


def commit(git: BareRepository, sha: str) -> Commit:
    """Return the commit of a full sha that exists."""
    return log(git, sha, limit=1)[0]


def _commit(fields: list[str]) -> Commit:
    sha, tree, parents, author, author_email, authored, committer, committer_email, committed, message = fields
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=Identity(author, author_email),
        authored_at=authored,
        committer=Identity(committer, committer_email),
        committed_at=committed,
        message=message.rstrip("\n"),
    )


def ahead_behind(git: BareRepository, base: str, head: str) -> tuple[int, int]:
    """Return how many commits `head` has that `base` lacks, and the other way round."""
    behind, ahead = git.text("rev-list", "--left-right", "--count", f"{base}...{head}", "--").split()
    return int(ahead), int(behind)


def changes(git: BareRepository, old: str, new: str) -> list[FileChange]:
    """Return the files that differ between two commits or trees, renames found, in git's order."""
    forms = ("--raw", "--no-abbrev", "--numstat", "--patch", "-z")
    output = git.run("diff", *forms, "-M", "--no-color", "--no-ext-diff", old, new, "--").decode(errors="replace")
    lists, _, patches = output.partition("\0\0")  # what ends in NUL each, one more, and the patches as always
    entries, counts = _entries(lists)
    sections = _patches(patches)
    return [_change(entry, counts, sections) for entry in entries]


def touched_paths(git: BareRepository, old: str, new: str) -> list[tuple[str, str]]:
    """Return (added | removed | modified, path) of the files that differ, a rename being one of each."""
    output = git.run("diff", "--name-status", "--no-renames", "-z", old, new, "--").decode(errors="replace")
    letters_and_paths = output.split("\0")
    words = {"A": "added", "D": "removed"}
    pairs = zip(letters_and_paths[::2], letters_and_paths[1::2], strict=False)
    return [(words.get(letter, "modified"), path) for letter, path in pairs]


def _entries(lists: str) -> tuple[list[tuple[str, str, str, str | None]], dict[str, tuple[int, int]]]:
    """Read `git diff --raw --numstat -z`.

    Returns (status letter, sha, path, path before a rename) of each file, and path -> (lines added, removed) of each
    that isn't binary.
    """
    entries: list[tuple[str, str, str, str | None]] = []
    counts = {}
    tokens = iter(lists.split("\0"))
    for token in tokens:
        if token.startswith(":"):
            *_, old_sha, new_sha, status = token.split(" ")
            path, previous = next(tokens), None
            if status[0] in "RC":
                path, previous = next(tokens), path
            entries.append((status[0], old_sha if status[0] == "D" else new_sha, path, previous))
        elif token:
            added, removed, path = token.split("\t", 2)
            if not path:  # a rename: the two paths follow
                next(tokens)
                path = next(tokens)
            if added != "-":
                counts[path] = (int(added), int(removed))
    return entries, counts


def _patches(output: str) -> Iterator[str]:
    """Yield one file's patch after the other, from its first hunk on; lines of content never begin with "diff"."""
    sections = ("\n" + output).split("\ndiff --git ")[1:]
    for section in sections:
        start = section.find("\n@@ ")
        yield section[start + 1 :].rstrip("\n") if start >= 0 else ""


def _change(
    entry: tuple[str, str, str, str | None], counts: dict[str, tuple[int, int]], patches: Iterator[str]
) -> FileChange:
    status, sha, path, previous = entry
    # A file that became a symbolic link is one entry and two patches: all of it removed, all of it added.
    patch = "\n".join(next(patches, "") for _ in range(2 if status == "T" else 1))
    additions, deletions = counts.get(path, (0, 0))
    return FileChange(
        path=path,
        previous_path=previous,
        status=_STATUS_WORDS.get(status, "changed"),
        sha=sha,
        additions=additions,
        deletions=deletions,
        patch=patch if path in counts else None,
    )

"""What the session's copy of a repository lacks: submodules, and the content of files that Git LFS keeps.

Both live elsewhere, where a token for this repository opens nothing or a program of the repository's choosing would
have to run. They are named, so that nobody takes an empty folder or a pointer for the repository's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent_runner.git.history import History

_NAMES_LIMIT = 5
_NAME_LENGTH = 100
# "Git LFS: Specification": a pointer's first line, and what every pointer is smaller than, in bytes.
_POINTER = "version https://git-lfs.github.com/spec/v1"
_POINTER_LIMIT = 1024
_SUBMODULE = "160000"


@dataclass(frozen=True)
class LeftOut:
    """Paths of submodules and of Git LFS's pointers."""

    submodules: Sequence[str] = ()
    pointers: Sequence[str] = ()

    @property
    def for_claude(self) -> str:
        """Sentences for Claude; empty if nothing is left out."""
        sentences = []
        if self.submodules:
            sentences.append(
                f"Submodules aren't in this copy of the repository, so these folders are empty: "
                f"{names_of(self.submodules)}. Put nothing into them and don't change which commit they're at."
            )
        if self.pointers:
            sentences.append(
                "The content of files in Git LFS isn't in this copy of the repository. In their place are pointers: "
                f"{names_of(self.pointers)}. Don't change them, and add no files that .gitattributes assigns to it."
            )
        if sentences:
            sentences.append("If the task needs them, say so in your summary.")
        return " ".join(sentences)

    @property
    def for_people(self) -> str:
        """A remark for people; empty if nothing is left out."""
        missing = []
        if self.submodules:
            missing.append(f"submodules: {names_of(self.submodules)}")
        if self.pointers:
            missing.append(f"the content of files in Git LFS: {names_of(self.pointers)}")
        return f"(Sessions don't have {'; nor '.join(missing)}.)" if missing else ""


async def left_out(history: History, commit: str) -> LeftOut:
    """Return what a work tree of `commit` lacks.

    Raises:
        GitError: git fails.
    """
    files = await _files(history, commit)
    submodules = [path for mode, _, _, path in files if mode == _SUBMODULE]
    return LeftOut(submodules, await _pointers(history, files) if await _uses_lfs(history, commit) else [])


async def whole_files(history: History, head: str, *bases: str) -> list[str]:
    """Return the files of `head` that aren't as in any of `bases`, and no pointers, if Git LFS is used there.

    Raises:
        GitError: git fails.
    """
    if not await _uses_lfs(history, head):
        return []
    names = [await history.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head) for base in bases]
    changed = set.intersection(*(set(listing.split("\0")) for listing in names))
    files = [file for file in await _files(history, head) if file[3] in changed]
    pointers = set(await _pointers(history, files))
    return [path for mode, _, size, path in files if mode != _SUBMODULE and size and path not in pointers]


async def _files(history: History, commit: str) -> list[tuple[str, str, int, str]]:
    """Return mode, sha, size in bytes and path of each file."""
    listing = (await history.git("ls-tree", "-r", "-l", "-z", commit)).split("\0")
    files = []
    for entry in filter(None, listing):
        about, _, path = entry.partition("\t")
        mode, _, sha, size = about.split()
        files.append((mode, sha, 0 if size == "-" else int(size), path))
    return files


async def _uses_lfs(history: History, commit: str) -> bool:
    attributes = (".gitattributes", "*/.gitattributes")
    try:
        await history.git("grep", "--quiet", "--fixed-strings", "filter=lfs", commit, "--", *attributes)
    except GitError:  # that's how git says that it found nothing, too
        return False
    return True


async def _pointers(history: History, files: Sequence[tuple[str, str, int, str]]) -> list[str]:
    small = {sha for mode, sha, size, _ in files if mode != _SUBMODULE and len(_POINTER) < size < _POINTER_LIMIT}
    if not small:
        return []
    content = await history.git("cat-file", "--batch", given="".join(f"{sha}\n" for sha in small))
    pointers = set(re.findall(rf"^([0-9a-f]{{40,64}}) blob \d+\n{re.escape(_POINTER)}$", content, re.MULTILINE))
    return [path for _, sha, _, path in files if sha in pointers]


def names_of(paths: Sequence[str]) -> str:
    """Return the first few paths, which the repository's authors chose, as code and nothing else."""
    shown = ", ".join(f"`{re.sub(r'[^!-_a-~ ]', '?', path)[:_NAME_LENGTH]}`" for path in paths[:_NAMES_LIMIT])
    more = len(paths) - _NAMES_LIMIT
    return f"{shown} and {more} more" if more > 0 else shown

"""Pointers of Git LFS among a repository's files ("Git LFS: Specification")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.lfs.lfs_object import POINTER_LIMIT, VERSION, LfsObject, pointed_at
from cloud_agent_runner.git.tree_files import files_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.tree_files import TreeFile

# How much may come, and how much may go with one push: an object is in the work tree twice, as with every client of Git
# LFS, and a third time on its way. Fargate has 20 GB of disk.
TOTAL_BYTES = 2 << 30
_HEADER = re.compile(r"^([0-9a-f]{40,64}) blob (\d+)$", re.MULTILINE)


async def uses_lfs(history: History, commit: str) -> bool:
    """Return whether a file .gitattributes of a commit assigns anything to Git LFS."""
    attributes = (".gitattributes", "*/.gitattributes")
    try:
        await history.git("grep", "--quiet", "--fixed-strings", "filter=lfs", commit, "--", *attributes)
    except GitError:  # that's how git says that it found nothing, too
        return False
    return True


async def pointers(history: History, files: Iterable[TreeFile]) -> dict[str, LfsObject | None]:
    """Return what the pointers among `files` stand for, by blob; None where an extension has a part in it.

    Raises:
        GitError: git fails.
    """
    small = {file.sha for file in files if not file.is_submodule and len(VERSION) < file.size < POINTER_LIMIT}
    return await _read(history, small)


async def new_objects(history: History, head: str, *published: str) -> list[LfsObject]:
    """Return what pointers stand for that `head` has and no commit of `published`.

    Raises:
        GitError: git fails.
    """
    small = ("rev-list", "--objects", "--no-object-names", f"--filter=blob:limit={POINTER_LIMIT}")
    objects = await history.git(*small, head, *(f"^{commit}" for commit in published))
    about = await history.git("cat-file", "--batch-check=%(objecttype) %(objectname)", given=objects)
    blobs = {line.removeprefix("blob ") for line in about.splitlines() if line.startswith("blob ")}
    return sorted({it for it in (await _read(history, blobs)).values() if it}, key=lambda it: (it.size, it.oid))


async def whole_files(history: History, head: str, *bases: str) -> list[str]:
    """Return the files of `head` that aren't as in any of `bases`, and no pointers, if Git LFS is used there.

    Raises:
        GitError: git fails.
    """
    if not await uses_lfs(history, head):
        return []
    names = [await history.git("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head) for base in bases]
    changed = set.intersection(*(set(listing.split("\0")) for listing in names))
    files = [file for file in await files_of(history, head) if file.path in changed]
    found = await pointers(history, files)
    return [file.path for file in files if not file.is_submodule and file.size and file.sha not in found]


async def _read(history: History, blobs: Collection[str]) -> dict[str, LfsObject | None]:
    if not blobs:
        return {}
    content = await history.git("cat-file", "--batch", given="".join(f"{sha}\n" for sha in blobs))
    found: dict[str, LfsObject | None] = {}
    for header in _HEADER.finditer(content):
        text = content[header.end() + 1 : header.end() + 1 + int(header[2])]
        if header[1] in blobs and text.startswith(VERSION):
            found[header[1]] = pointed_at(text)
    return found

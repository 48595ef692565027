"""The files of a commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_runner.git.history import History

_SUBMODULE = "160000"


@dataclass(frozen=True)
class TreeFile:
    """A file, link or submodule: `sha` is its blob or the submodule's commit, `size` its bytes, `mode` Git's word."""

    path: str
    mode: str
    sha: str
    size: int

    @property
    def is_submodule(self) -> bool:
        """Whether it's a commit of another repository."""
        return self.mode == _SUBMODULE


async def files_of(history: History, commit: str) -> list[TreeFile]:
    """Return all files of a commit.

    Raises:
        GitError: git fails.
    """
    listing = (await history.git("ls-tree", "-r", "-l", "-z", commit)).split("\0")
    files = []
    for entry in filter(None, listing):
        about, _, path = entry.partition("\t")
        mode, _, sha, size = about.split()
        files.append(TreeFile(path, mode, sha, 0 if size == "-" else int(size)))
    return files

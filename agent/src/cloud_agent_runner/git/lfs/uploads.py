"""Objects of Git LFS that commits of the session point to, stored on GitHub before the commits are pushed.

GitHub declines a push whose pointers it doesn't have the objects of. They are in the work tree, so the workspace's user
reads them, and what the supervisor sends is what the pointer says, whatever a link there leads to.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.lfs.lfs_object import OBJECTS, OUTGOING, LfsObject
from cloud_agent_runner.git.lfs.pointers import TOTAL_BYTES, new_objects
from cloud_agent_runner.git.lfs.server import LfsError

if TYPE_CHECKING:
    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.lfs.server import LfsServer
    from cloud_agent_runner.git.work_tree import WorkTree

logger = logging.getLogger(__name__)


class LfsUploads:
    """What one push has to store: `collect` it, look at it, `send` it, and in any case `discard` it."""

    def __init__(self, server: LfsServer, history: History, tree: WorkTree) -> None:
        self._server = server
        self._history = history
        self._tree = tree
        self._folder = history.repository / OUTGOING
        self._objects: list[LfsObject] = []

    async def collect(self, token: GitToken, head: str, *published: str) -> None:
        """Copy what `head` points to, no commit of `published` does, and the server lacks, to `OUTGOING`.

        What the work tree doesn't have either is left to GitHub's own check.

        Raises:
            LfsError: it can't be stored; the text says why.
            GitError: git failed.
        """
        if not (self._tree.path / OBJECTS).is_dir():
            return
        mine = [one for one in await new_objects(self._history, head, *published) if one.is_in(self._tree.path)]
        if not mine:
            return
        if not await self._server.keeps(self._history, head):
            raise LfsError("`.lfsconfig` names a server of the repository's own, for which sessions have no password.")
        objects = await self._server.lacking(token, mine)
        if sum(one.size for one in objects) > TOTAL_BYTES:
            raise LfsError(f"They are larger than {TOTAL_BYTES >> 30} GiB together.")
        for one in objects:
            await self._copy(one)
        self._objects = objects

    async def send(self, token: GitToken) -> None:
        """Store what was collected.

        Raises:
            LfsError: it wasn't stored; the text says why.
        """
        if self._objects:
            await self._server.upload(token, self._objects, self._folder)
            logger.info("files stored in Git LFS", extra={"objects": len(self._objects)})

    def discard(self) -> None:
        """Forget what was collected."""
        self._objects = []
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _copy(self, one: LfsObject) -> None:
        target = self._folder / one.path
        target.parent.mkdir(parents=True, exist_ok=True)
        found, left = hashlib.sha256(), one.size
        try:
            with target.open("wb") as file:
                async for piece in self._tree.content(str(OBJECTS / one.path)):
                    found.update(piece)
                    left -= len(piece)
                    if left < 0:
                        break
                    await asyncio.to_thread(file.write, piece)
        except (GitError, OSError) as error:
            raise LfsError("A file's object couldn't be read.") from error
        if left or found.hexdigest() != one.oid:
            raise LfsError("A file's object in `.git/lfs` isn't what its pointer says.")

"""The content of files in Git LFS, brought into the work tree.

The supervisor has the token, so it downloads the objects, into a folder of its own. The workspace's user copies them
into the work tree's folder of objects and over the pointers. No program of the repository's choosing runs with the
supervisor's rights, and no token gets into the work tree.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git.command import HAS_GIT_LFS, LFS_FILTER, GitError
from cloud_agent_runner.git.lfs import place
from cloud_agent_runner.git.lfs.lfs_object import OBJECTS, LfsObject
from cloud_agent_runner.git.lfs.pointers import TOTAL_BYTES, pointers, uses_lfs
from cloud_agent_runner.git.lfs.server import LfsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.lfs.server import LfsServer
    from cloud_agent_runner.git.tokens import GitTokens
    from cloud_agent_runner.git.tree_files import TreeFile
    from cloud_agent_runner.git.work_tree import WorkTree

logger = logging.getLogger(__name__)

_SECONDS = 600
_PAUSES_SECONDS = (0.1, 0.5, 2.0)
# Claude may check out what isn't here: then the pointer is there, and not an error.
_SETTINGS = LFS_FILTER | {"lfs.skipdownloaderrors": "true"}


class LfsFiles:
    """The files of one work tree that .gitattributes assigns to Git LFS."""

    def __init__(
        self, server: LfsServer, history: History, tree: WorkTree, tokens: GitTokens, exchange: asyncio.Lock
    ) -> None:
        """`exchange` is held while files are put in place."""
        self._server = server
        self._history = history
        self._tree = tree
        self._tokens = tokens
        self._exchange = exchange
        self._store = history.repository / "lfs" / "incoming"
        self._is_configured = False

    async def fetch(self, head: str, files: Sequence[TreeFile]) -> list[str]:
        """Put the content of `head`'s `files` in place of their pointers; return the paths of what can't be had.

        The smallest come first, and no more than 2 GiB or ten minutes' worth of them. Nothing is downloaded twice.

        Raises:
            GitError: git failed.
        """
        if not await uses_lfs(self._history, head):
            return []
        found = await pointers(self._history, files)
        assigned = set(await self._tree.assigned_to_lfs([file.path for file in files if file.sha in found]))
        mine = [file for file in files if file.path in assigned]
        if not HAS_GIT_LFS:
            return [file.path for file in mine]
        await self._configure()
        wanted = {file: one for file in mine if (one := found[file.sha])}
        await self._fetch(head, wanted)
        return [file.path for file in mine if not self._is_here(found[file.sha])]

    async def _configure(self) -> None:
        """Have Git LFS at work for whoever uses Git there, Claude for example."""
        if not self._is_configured:
            words = (["git", "config", name, value] for name, value in _SETTINGS.items())
            await self._tree.run("/bin/sh", "-c", " && ".join(map(shlex.join, words)), about="config")
            self._is_configured = True

    async def _fetch(self, head: str, wanted: dict[TreeFile, LfsObject]) -> None:
        objects = _affordable({one for one in wanted.values() if not self._is_here(one)})
        try:
            await self._place(wanted)
            if objects and await self._server.keeps(self._history, head):
                await self._download(objects, wanted)
        except (AgentError, LfsError, OSError, TimeoutError) as error:
            logger.warning("files in Git LFS not fetched", extra={"reason": str(error) or type(error).__name__})

    async def _download(self, objects: list[LfsObject], wanted: dict[TreeFile, LfsObject]) -> None:
        token = await self._tokens.to_read()
        try:
            async with asyncio.timeout(_SECONDS):
                async for _ in self._server.download(token, objects, self._store):
                    await self._place(wanted)
                    await asyncio.to_thread(shutil.rmtree, self._store, ignore_errors=True)
        finally:
            shutil.rmtree(self._store, ignore_errors=True)
        logger.info("files in Git LFS fetched", extra={"objects": len(objects)})

    async def _place(self, wanted: dict[TreeFile, LfsObject]) -> None:
        """Put what is here in place of its pointers, and have Git know that these files are as they were committed.

        An entry of the index with no time and size of the file has Git look at its content. So Git's lock is held for
        a moment only: Claude may be at work.
        """
        given = "".join(f"{file.sha} {one.oid} {file.path}\0" for file, one in wanted.items())
        program = (sys.executable, "-I", "-S", place.__file__, str(self._store), str(OBJECTS))
        modes = {file.path: file.mode for file in wanted}
        async with self._exchange:
            placed = await self._tree.run(*program, given=given, about="lfs")
            entries = (entry.partition(" ") for entry in placed.split("\0") if entry)
            lines = "".join(f"{modes[path]} {blob}\t{path}\0" for blob, _, path in entries)
            if lines:
                await self._update_index(lines)

    async def _update_index(self, lines: str) -> None:
        for pause in _PAUSES_SECONDS:
            try:
                await self._tree.git("update-index", "-z", "--index-info", given=lines)
            except GitError as error:  # mostly because Claude's own git has the lock
                logger.warning("index not updated", extra={"reason": str(error)})
                await asyncio.sleep(pause)
            else:
                return

    def _is_here(self, one: LfsObject | None) -> bool:
        return one is not None and one.is_in(self._tree.path)


def _affordable(objects: Iterable[LfsObject]) -> list[LfsObject]:
    chosen, total = [], 0
    for one in sorted(objects, key=lambda one: (one.size, one.oid)):
        total += one.size
        if total > TOTAL_BYTES:
            break
        chosen.append(one)
    return chosen

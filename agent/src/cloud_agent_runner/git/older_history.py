"""The history before the commits that a session begins with, fetched beside the session.

The last commits of a branch are cloned in seconds however long its history is. The rest comes into a repository of its
own, which borrows the objects that are there: nothing that the session does meanwhile waits for it, and what fails in
it breaks nothing. Once it's complete its packs move over, and both copies of the repository lose their boundary.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git.branch import GitHubBranch, SessionBranch
from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.history import History

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.git.tokens import GitTokens
    from cloud_agent_runner.git.work_tree import WorkTree

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 60
_LONGEST_WAIT_SECONDS = 300
# Tools that read the version from tags run with the install command: a history that comes so soon is whole by then.
_HEAD_START_SECONDS = 3


class OlderHistory:
    """What `history` lacks, and `tree` with it. `folder` doesn't exist yet."""

    def __init__(self, folder: Path, branch: SessionBranch, history: History, tree: WorkTree) -> None:
        self._folder = folder
        self._older = History(folder)
        self._branch = GitHubBranch(branch, self._older)
        self._history = history
        self._tree = tree
        self._download: asyncio.Task[None] | None = None
        self._whole: asyncio.Task[None] | None = None

    @property
    def is_missing(self) -> bool:
        """Whether there is history that isn't here yet."""
        return self._history.shallow.exists()

    async def begin(self, tokens: GitTokens, exchange: asyncio.Lock, branch: str, default: str) -> None:
        """Fetch it in the background, if any is missing, until that has succeeded; take it over under `exchange`.

        Wait for it while that hardly delays anybody, or if both branches only meet there.
        """
        if not self.is_missing:
            return
        self._download = asyncio.create_task(self._fetch_patiently(tokens))
        self._whole = asyncio.create_task(self._take_over_under(exchange, self._download))
        related = await self._history.are_related(branch, default)
        async with exchange:
            await self.wait(_HEAD_START_SECONDS if related else None)

    async def wait(self, seconds: float | None = None) -> None:
        """Have it here, if it comes within five minutes, or `seconds`. For whoever holds the lock of `begin`."""
        seconds = _LONGEST_WAIT_SECONDS if seconds is None else seconds
        if self._download is not None:
            await asyncio.wait([self._download], timeout=seconds)
            if self._download.done() and self._download.exception() is None:
                await self._take_over()

    async def whole(self) -> None:
        """Return once nothing is missing. To cancel this ends the fetch."""
        if self._whole is not None:
            await self._whole

    async def _fetch_patiently(self, tokens: GitTokens) -> None:
        while True:
            try:
                await self._fetch(tokens)
            except (AgentError, OSError) as error:
                logger.warning("older history not fetched", extra={"reason": str(error)})
            else:
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _fetch(self, tokens: GitTokens) -> None:
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        await self._older.create()
        await self._older.borrow(self._history)
        await tokens.reading(self._branch.fetch_older)
        if self._older.shallow.exists():
            raise GitError("GitHub sent a part of it.")

    async def _take_over_under(self, exchange: asyncio.Lock, download: asyncio.Task[None]) -> None:
        await download
        async with exchange:
            await self._take_over()

    async def _take_over(self) -> None:
        """Have both copies know what was fetched. What fails in it costs no more than that."""
        if not self.is_missing:
            return
        try:
            await self._move()
        except (GitError, OSError):
            logger.exception("older history not taken over")

    async def _move(self) -> None:
        """Move the packs first: as long as the boundary stands, nobody looks for what is behind it."""
        self._history.take_packs(self._older)
        self._history.shallow.unlink()
        await self._history.take_tags(self._older)
        await self._tree.has_whole_history()
        await self._tree.set_refs(await self._history.tags())
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        logger.info("older history fetched")

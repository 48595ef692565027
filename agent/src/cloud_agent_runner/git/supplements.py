"""What a clone doesn't bring: submodules, and the content of files in Git LFS. They're fetched beside the session."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.git.left_out import LeftOut
from cloud_agent_runner.git.lfs.pointers import uses_lfs
from cloud_agent_runner.git.tree_files import files_of
from cloud_agent_runner.git.update import Update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.lfs.files import LfsFiles
    from cloud_agent_runner.git.submodules import Submodules
    from cloud_agent_runner.git.tree_files import TreeFile

logger = logging.getLogger(__name__)

# What comes so soon is there before the install command, and before the turn, that may need it.
_HEAD_START_SECONDS = 3
_ON_THE_WAY = Update(
    "Submodules and the content of files in Git LFS are still being fetched: until then, empty folders and pointers "
    "are in their place. Don't change them."
)


class Supplements:
    """Keeps a work tree supplied with what its commit has elsewhere: of commits that follow soon, the last one's."""

    def __init__(self, history: History, submodules: Submodules, lfs: LfsFiles) -> None:
        self._history = history
        self._submodules = submodules
        self._lfs = lfs
        self._wanted: tuple[str, Sequence[TreeFile]] = "", ()
        self._here = ""
        self._fetching: asyncio.Task[None] | None = None
        self._left_out = self._said = LeftOut()

    async def follow(self, head: str) -> None:
        """Begin to fetch what `head` has elsewhere, if anything, in the background and after what is being fetched.

        Raises:
            GitError: git failed.
        """
        files = await files_of(self._history, head)
        if any(file.is_submodule for file in files) or await uses_lfs(self._history, head):
            self._wanted = head, files
            if self._fetching is None or self._fetching.done():
                self._fetching = asyncio.create_task(self._fetch())

    async def wait(self) -> None:
        """Return once all is there that can be had, but after three seconds at the latest."""
        if self._fetching is not None:
            await asyncio.wait([self._fetching], timeout=_HEAD_START_SECONDS)

    def missing(self) -> Update:
        """Return what a turn that begins now has to know isn't there: of what can't be had, each name once.

        Once is enough: Claude remembers, and people find it in the pull request.
        """
        if self._fetching is not None and not self._fetching.done():
            return _ON_THE_WAY
        news, self._said = self._left_out.besides(self._said), self._left_out
        return Update(news.for_claude, news.for_people)

    def cancel(self) -> None:
        """End what is being fetched."""
        if self._fetching is not None:
            self._fetching.cancel()

    async def _fetch(self) -> None:
        while self._here != self._wanted[0]:
            head, files = self._wanted
            try:
                both = (self._submodules.fetch(head, files), self._lfs.fetch(head, files))
                self._left_out = LeftOut(*await asyncio.gather(*both))
            except (AgentError, OSError):
                logger.exception("supplements not fetched")
            self._here = head

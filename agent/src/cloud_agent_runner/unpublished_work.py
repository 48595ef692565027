"""Commits that aren't on GitHub, kept where the branch's next session finds them, and taken up from there.

They may be refused, or GitHub may be down; and a turn that the session's end cuts short has commits, and changes, that
nobody has tried to push. The supervisor alone knows where a bundle of them is. Nothing that goes wrong here ends a
session, and nothing is believed of a bundle: what it brings is checked as Claude's commits are before it's pushed.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING

import httpx

from cloud_agent_runner.agent_api_connection import (
    AgentApiRefusedError,
    AgentApiUnavailableError,
    SessionOverError,
)
from cloud_agent_runner.git.bundle import BUNDLE_LIMIT_BYTES, BundleTooLargeError
from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.publish_errors import PublishFailedError
from cloud_agent_runner.git.update import NOTHING_NEW
from cloud_agent_runner.stored_objects import StoredObjects, without_address

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.agent_api_messages import WorkState
    from cloud_agent_runner.git.update import Update
    from cloud_agent_runner.git.workspace import GitWorkspace

logger = logging.getLogger(__name__)

_TRANSFER_SECONDS = 180
# Of the 30 s that ECS waits for a container that is to stop, some are Claude's and the transcript's.
_END_SECONDS, _REPORT_SECONDS = 18, 5
# ValueError: a response that isn't what the contract says.
_FAILURES = (AgentApiRefusedError, AgentApiUnavailableError, GitError, httpx.HTTPError, OSError, ValueError)


class UnpublishedWork:
    """The work of one session that isn't on GitHub. `folder` is the supervisor's own."""

    def __init__(self, api: AgentApi, folder: Path, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.taken_up = 0  # commits of an earlier session
        self._api = api
        self._file = folder / "unpublished.bundle"
        self._objects = StoredObjects(transport)
        self._workspace: GitWorkspace | None = None
        self._can_be_pushed = self._may_be_kept = False
        self._kept_head = ""
        self._has_uncommitted = False

    async def find(self) -> bool:
        """Return whether an earlier session has left something. It's here then, unless it couldn't be had."""
        url = None
        try:
            async with asyncio.timeout(_TRANSFER_SECONDS):
                url = await self._api.restore_unpublished()
                if url is not None:
                    await self._download(url)
        except _FAILURES as error:
            logger.warning("unpublished work not found", extra={"reason": without_address(error)})
            self._file.unlink(missing_ok=True)
        return url is not None

    async def _download(self, url: SecretStr) -> None:
        async with self._objects.download(url) as content:
            if content is None:
                raise ValueError("There is no object at the URL.")
            with self._file.open("wb") as file:
                async for chunk in content:
                    file.write(chunk)
                    if file.tell() > BUNDLE_LIMIT_BYTES:
                        raise ValueError(f"It's larger than {BUNDLE_LIMIT_BYTES} bytes.")

    async def begin(self, workspace: GitWorkspace, *, with_found: bool) -> Update:
        """Take up what was found, in a work tree that is as cloned; return what Claude and people have to know."""
        self._workspace = workspace
        if not with_found:
            return NOTHING_NEW
        try:
            taken = await workspace.take_up(self._file)
        except GitError as error:
            logger.warning("unpublished work not taken up", extra={"reason": str(error)})
            await self._report(0, "not_taken_up")
            return NOTHING_NEW
        finally:
            self._file.unlink(missing_ok=True)
        self.taken_up, self._can_be_pushed, self._may_be_kept = taken.commits, taken.can_be_pushed, True
        logger.info("unpublished work taken up", extra={"commits": taken.commits})
        if not taken.commits:
            await self.all_published()
        return taken.update

    async def push_taken_up(self) -> None:
        """Try to push what was taken up, while no turn runs. What can't be pushed is kept anew, as it is now."""
        if not self.taken_up:
            return
        if self._can_be_pushed:
            try:
                await self._tree.publish(commit=False)
            except PublishFailedError as error:
                logger.warning("unpublished work not pushed", extra={"reason": str(error)})
            else:
                await self.all_published()
                return
        await self.keep()

    def turn_began(self) -> None:
        """From now on there can be work that nobody has committed."""
        self._has_uncommitted = True

    async def all_published(self) -> None:
        """Have nothing kept any more: what there was is on GitHub, or Claude has undone it."""
        self._has_uncommitted = False
        if self._may_be_kept:
            self._may_be_kept, self._kept_head = not await self._report(0, "published"), ""

    async def keep(self) -> int:
        """Keep what couldn't be pushed, if it can be kept, and return how many commits that are."""
        return await self._keep(_TRANSFER_SECONDS)

    async def aclose(self) -> None:
        """Keep all that the session has worked on and isn't on GitHub, once nobody works in the work tree anymore.

        The agent learns of a session's end before its container is told to stop: that signal doesn't cut this short.
        """
        keeping = asyncio.create_task(self._keep_at_end())
        try:
            await asyncio.shield(keeping)
        except asyncio.CancelledError:
            await keeping
            raise

    async def _keep_at_end(self) -> None:
        if self._workspace is None:
            return
        try:
            async with asyncio.timeout(_END_SECONDS):
                if self._has_uncommitted:
                    await self._commit()
                await self._keep(_END_SECONDS - _REPORT_SECONDS)
        except (SessionOverError, TimeoutError) as error:
            logger.warning("unpublished work not kept", extra={"reason": str(error) or "no time"})

    async def _commit(self) -> None:
        try:
            await self._tree.commit_what_can_be()
        except GitError as error:
            logger.warning("changes not committed", extra={"reason": str(error)})

    async def _keep(self, seconds: int) -> int:
        commits = await self._tree.unpublished()
        if not commits:
            return 0
        try:
            async with asyncio.timeout(seconds):
                state = await self._store()
        except BundleTooLargeError:
            state = "too_large"
        except _FAILURES as error:
            logger.warning("unpublished work not kept", extra={"reason": without_address(error)})
            state = "not_kept"
        finally:
            self._file.unlink(missing_ok=True)
        await self._report(commits, state)
        return commits

    async def _store(self) -> WorkState:
        head = await self._tree.bundle(self._file)
        if head == self._kept_head:
            return "kept"
        with self._file.open("rb") as file:
            digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")
            upload = await self._api.save_unpublished(size_bytes=file.tell(), sha256=digest.hexdigest())
            if upload.url is None:
                return "not_kept"
            self._may_be_kept = True
            await self._objects.upload(upload, file)
        self._kept_head = head
        return "kept"

    async def _report(self, commits: int, state: WorkState) -> bool:
        """Return whether the report was accepted."""
        try:
            await self._api.report_unpublished(commits, state, taken_up=self.taken_up)
        except (AgentApiRefusedError, AgentApiUnavailableError) as error:
            logger.warning("unpublished work not reported", extra={"state": state, "reason": str(error)})
            return False
        return True

    @property
    def _tree(self) -> GitWorkspace:
        if self._workspace is None:
            raise RuntimeError("`begin` wasn't called.")
        return self._workspace

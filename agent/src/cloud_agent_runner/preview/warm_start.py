"""What earlier sessions of the repository have installed, restored before `install` runs, and kept for later ones.

The install command runs as always: it checks what is there. An archive is code of unknown origin until then, so nobody
but the workspace's user unpacks it; the supervisor alone knows where archives are, for whoever has such a URL may read,
or write, what it leads to. Nothing that goes wrong here costs more than the installation itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from contextlib import aclosing
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import httpx

from cloud_agent_runner.agent_api_connection import AgentApiRefusedError, AgentApiUnavailableError
from cloud_agent_runner.preview.dependency_archive import ArchiveError, DependencyArchive
from cloud_agent_runner.preview.dependency_key import dependency_key
from cloud_agent_runner.preview.dev_server import InstallFailedError
from cloud_agent_runner.preview.package_managers import NPM_CI
from cloud_agent_runner.stored_objects import StoredObjects, without_address

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.git.workspace import ClonedFiles
    from cloud_agent_runner.preview.dev_server import DevServer
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

ARCHIVE_LIMIT_BYTES = 1024**3  # contracts/limits.json
_RESTORE_SECONDS = 180
_SAVE_SECONDS = 600
# ValueError: a response that isn't what the contract says.
_FAILURES = (AgentApiRefusedError, AgentApiUnavailableError, ArchiveError, httpx.HTTPError, OSError, ValueError)
# `npm ci` would delete what was restored. `--no-save` leaves package-lock.json as it is.
_NPM_CHECK = "npm install --no-save --no-audit --no-fund"


@dataclass
class _Archive:
    """An archive in a file of the supervisor's own."""

    file: IO[bytes]
    size: int
    sha256: str


class WarmStart:
    """Restores and keeps the dependencies of one session, unless the repository says no.

    `files` are those that were cloned, and `image` is what they're installed in. What `is_claudes` from the beginning,
    because an earlier session's work is among them, is kept for the branch alone.
    """

    def __init__(  # noqa: PLR0913 - what it follows from
        self,
        api: AgentApi,
        user: WorkspaceUser,
        work_tree: Path,
        files: ClonedFiles,
        *,
        image: str,
        is_on: bool,
        is_claudes: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = api
        self._home = user.home
        self._files = files
        self._image = image
        self._archive = DependencyArchive(user, work_tree)
        self._objects = StoredObjects(transport)
        self._is_due = is_on
        self._key = ""
        self._to_be_kept = asyncio.Event()
        self._is_packed = asyncio.Event()
        self._are_kept = False
        self._is_claudes = is_claudes

    def claude_changes(self) -> None:
        """Keep what isn't packed by now for this branch alone: Claude may have changed it."""
        self._is_claudes = True

    async def packed(self) -> None:
        """Return once an installation that is to be kept is packed; at once where none is."""
        if self._to_be_kept.is_set():
            await self._is_packed.wait()

    async def install(self, dev_server: DevServer, command: str) -> None:
        """Run the install command on what an earlier session has left, or else, and where that fails, on nothing.

        Only the first installation is of the files that were cloned: later ones neither restore nor keep anything.

        Raises:
            InstallFailedError: as `DevServer.install`.
        """
        is_due, self._is_due = self._is_due, False
        key = dependency_key(command, self._files.blobs, image=self._image, home=self._home) if is_due else None
        if key and await self.restore(key):
            try:
                await dev_server.install(re.sub(NPM_CI, _NPM_CHECK, command))
            except InstallFailedError:
                logger.warning("restored dependencies are of no use")
                await self._discard()
            else:
                return
        await dev_server.install(command)
        if key and self._are_kept:
            self._key = key
            self._to_be_kept.set()

    async def restore(self, key: str) -> bool:
        """Return whether there was an archive; what came of one that is broken is removed."""
        try:
            async with asyncio.timeout(_RESTORE_SECONDS):
                urls = (await self._api.restore_dependencies(key)).urls
                self._are_kept = bool(urls)
                for place, url in enumerate(urls):
                    if await self._unpack(url, is_shared=place == 0):
                        logger.info("dependencies restored")
                        return True
                return False
        except _FAILURES as error:
            logger.warning("dependencies not restored", extra={"reason": without_address(error)})
        return False

    async def keep(self) -> None:
        """Wait for the first good installation that nothing was restored for, and keep it for later sessions."""
        await self._to_be_kept.wait()
        await self.save(self._key)

    async def save(self, key: str) -> None:
        """Pack what is installed, and store it."""
        try:
            async with asyncio.timeout(_SAVE_SECONDS):
                with TemporaryFile() as file:
                    archive = await self._pack(file)
                    before_claude = not self._is_claudes
                    self._is_packed.set()
                    if archive.size:
                        await self._store(key, archive, before_claude=before_claude)
        except _FAILURES as error:
            logger.warning("dependencies not kept", extra={"reason": without_address(error)})
        finally:
            self._is_packed.set()

    async def _unpack(self, url: SecretStr, *, is_shared: bool) -> bool:
        async with self._objects.download(url) as content:
            if content is None:
                return False
            # What an archive of the branch's brings stays with the branch, for Claude can have packed anything in it.
            self._is_claudes |= not is_shared
            try:
                await self._archive.unpack(content)
            except BaseException:
                await self._discard()
                raise
            return True

    async def _discard(self) -> None:
        """Remove what was restored, in whole or in part."""
        try:
            await self._archive.remove()
        except ArchiveError as error:
            logger.warning("restored dependencies not removed", extra={"reason": str(error)})

    async def _pack(self, file: IO[bytes]) -> _Archive:
        size, digest = 0, hashlib.sha256()
        async with aclosing(self._archive.pack()) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > ARCHIVE_LIMIT_BYTES:
                    raise ArchiveError(f"It's larger than {ARCHIVE_LIMIT_BYTES} bytes.")
                digest.update(chunk)
                file.write(chunk)
        return _Archive(file, size, digest.hexdigest())

    async def _store(self, key: str, archive: _Archive, *, before_claude: bool) -> None:
        upload = await self._api.save_dependencies(
            key,
            size_bytes=archive.size,
            sha256=archive.sha256,
            head_sha=self._files.head,
            before_claude=before_claude,
        )
        if upload.url is None:
            return
        await self._objects.upload(upload, archive.file)
        logger.info("dependencies kept", extra={"bytes": archive.size, "before_claude": before_claude})

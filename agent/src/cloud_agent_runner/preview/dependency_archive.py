"""Installed dependencies as one compressed archive, packed and unpacked by the workspace's user.

It holds what install commands check, rather than install, the next time: `node_modules`, virtual environments,
toolchains. It doesn't hold what package managers install from: unpacking their caches takes them about as long as
downloading does (docs/repository-config.md has the figures).
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError, workspace_git
from cloud_agent_runner.workspace.ended import ended

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from cloud_agent_runner.workspace.user import WorkspaceUser

    Pipes = tuple[asyncio.subprocess.Process, asyncio.StreamWriter, asyncio.StreamReader]

# In the home. Not all of it: an install command may have written a registry's token there.
_IN_HOME = (
    *(".venv", ".local/bin", ".local/lib", ".local/share/mise", ".local/share/uv", ".local/share/virtualenvs"),
    *(".local/share/gem", ".gem", ".bundle/cache", ".bun", ".yarn/berry", ".cache/node", ".cache/ms-playwright"),
    *(".cache/puppeteer", ".cache/Cypress", ".cargo/bin", ".cargo/registry", ".rustup", "go/bin", "go/pkg"),
    *(".m2/repository", ".gradle/caches", ".composer/vendor"),
)
# Folders and files in the work tree, at whatever depth, unless Git tracks them.
_IN_WORK_TREE = (
    *("/node_modules", "/.venv", "/venv", "/vendor", "/vendor/bundle", "/.pnp.cjs", "/.pnp.loader.mjs"),
    *("/.yarn", "/.yarn/cache", "/.yarn/unplugged", "/.yarn/install-state.gz"),
)
# What programs write while they run, and what is there to install from.
_LEFT_OUT = ("node_modules/.cache", "node_modules/.vite*", "__pycache__")
# The image has zstd. A machine whose own processes run the sessions may not, and what it packs nobody else unpacks.
_ZSTD, _GZIP = "zstd --threads=0", "gzip --fast"
# tar's status when a file changed while it was read, as a dev server's cache may.
_CHANGED_MEANWHILE = 1
_CHUNK_BYTES = 1 << 18


class ArchiveError(Exception):
    """An archive couldn't be packed, unpacked or removed."""


class DependencyArchive:
    """Packs, unpacks and removes what is installed in the user's home and in the work tree there."""

    def __init__(self, user: WorkspaceUser, work_tree: Path) -> None:
        self._user = user
        self._work_tree = work_tree

    async def unpack(self, chunks: AsyncIterator[bytes]) -> None:
        """Unpack an archive into the home.

        Raises:
            ArchiveError: it isn't one, or not whole. What came of it is there.
        """
        command = f"exec tar --extract --no-same-owner {_compression()} --file=-"
        async with self._running("unpack", command) as (process, given, _):
            with suppress(BrokenPipeError, ConnectionResetError):  # tar has ended, and its status says how
                async for chunk in chunks:
                    given.write(chunk)
                    await given.drain()
            given.close()
            if status := await process.wait():
                raise ArchiveError(f"tar ended with status {status}.")

    async def pack(self) -> AsyncGenerator[bytes]:
        """Yield an archive of what is installed, in chunks; none where nothing is.

        Raises:
            ArchiveError: it couldn't be made. What came of it is to be thrown away.
        """
        if not (paths := await self._installed()):
            return
        left_out = " ".join(f"--exclude={shlex.quote(pattern)}" for pattern in _LEFT_OUT)
        names = "--null --verbatim-files-from --files-from=-"
        command = f"exec tar --create {_compression()} {left_out} {names} --file=-"
        async with self._running("pack", command) as (process, given, packed):
            given.write(_lines(paths))
            given.close()
            while chunk := await packed.read(_CHUNK_BYTES):
                yield chunk
            if (status := await process.wait()) not in {0, _CHANGED_MEANWHILE}:
                raise ArchiveError(f"tar ended with status {status}.")

    async def remove(self) -> None:
        """Remove all that an archive may have brought.

        Raises:
            ArchiveError: Git doesn't say what the repository itself has brought.
        """
        paths = [f"./{path}" for path in await self._installed()]
        async with self._running("unpack", "exec xargs --null --no-run-if-empty rm -rf --") as (process, _, _):
            await process.communicate(_lines(paths))

    async def _installed(self) -> list[str]:
        """Return what is installed, as paths from the home."""
        try:
            untracked = await workspace_git(self._user, "ls-files", "--others", "--directory", "-z", at=self._work_tree)
        except GitError as error:
            raise ArchiveError(str(error)) from error
        folder = self._work_tree.relative_to(self._user.home)
        paths = (f"{folder}/{path.rstrip('/')}" for path in untracked.split("\0"))
        in_work_tree = [path for path in paths if path.endswith(_IN_WORK_TREE)]
        return [path for path in _IN_HOME if (self._user.home / path).is_dir()] + in_work_tree

    @asynccontextmanager
    async def _running(self, name: str, command: str) -> AsyncIterator[Pipes]:
        """Run a shell command in the home, with its input and output, and leave nothing of it running."""
        started = await asyncio.create_subprocess_exec(
            *self._user.command(name, "/bin/sh", "-c", command, directory=self._user.home),
            env=self._user.environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with ended(started) as process:
            if process.stdin is None or process.stdout is None:
                raise ArchiveError(f"{name} has no input or output.")
            yield process, process.stdin, process.stdout


def _compression() -> str:
    program = _ZSTD if shutil.which("zstd") else _GZIP
    return f"--use-compress-program={shlex.quote(program)}"


def _lines(paths: list[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)

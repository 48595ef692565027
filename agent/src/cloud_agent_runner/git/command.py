"""Running git beside a work tree that somebody else controls: as the supervisor, or as the workspace's user.

What needs a token, or the repository that commits are published from, is the supervisor's. It never runs in the work
tree: what is configured there - filters, hooks, alternates, file system monitors - would run with the supervisor's
rights. All that does is the workspace's own, with no token in reach.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import shlex
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.workspace.ended import ended
from cloud_agent_runner.workspace.network_environment import network_environment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.workspace.user import WorkspaceUser

# Found once, before any code of the repository has run: PATH is trusted then.
_GIT = shutil.which("git") or "git"
HAS_GIT_LFS = shutil.which("git-lfs") is not None
GIT_SECONDS = 300
# A connection over which nothing at all came for so long is lost: GitHub shows every few seconds that it's at work.
_STALLED_SECONDS = 60
_PIECE_BYTES = 1 << 18
# Lists of all files or commits of a large repository fit in; a complaint has a line for each file at most.
_MOST_PRINTED_BYTES = 256 << 20
_MOST_COMPLAINT_BYTES = 16 << 20
_ENFORCED = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "credential.helper": "",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "protocol.ext.allow": "never",
    "protocol.file.allow": "always",
    "advice.detachedHead": "false",
}
# In the work tree, files that .gitattributes assigns to Git LFS are committed as pointers.
LFS_FILTER = {
    "filter.lfs.clean": "git-lfs clean -- %f",
    "filter.lfs.smudge": "git-lfs smudge -- %f",
    "filter.lfs.process": "git-lfs filter-process",
    "filter.lfs.required": "true",
}


def _configured(settings: Mapping[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


_COMMAND = [_GIT, *_configured(_ENFORCED)]
_WORKSPACE_COMMAND = [*_COMMAND, *_configured(LFS_FILTER if HAS_GIT_LFS else {})]


TOO_LARGE = os.strerror(errno.EFBIG)  # among git's words where it wanted to write a larger file than it may
_BLOCK_BYTES = 512  # of POSIX's `ulimit -f`


class GitError(AgentError):
    """A git command failed; the text holds its output."""


async def git(  # noqa: PLR0913 - what one process gets
    *arguments: str,
    at: Path,
    token: GitToken | None = None,
    url: str = "",
    given: str | None = None,
    variables: Sequence[tuple[str, str]] = (),
    timeout_seconds: int = GIT_SECONDS,
    largest_file_bytes: int | None = None,
) -> str:
    """Run git as the supervisor, at a directory of its own, and return what it printed, without the last newline.

    With `token`, requests to `url` (and to no other host) carry it. It travels in the environment of this one process,
    which only the supervisor's user can read: never in an argument, an address or a file. `given` is its input,
    `variables` are more of its environment. Making a file larger than `largest_file_bytes` fails, and git says so.

    Raises:
        GitError: git failed, or took longer than `timeout_seconds`.
    """
    environment = _environment(token, url) | dict(variables)
    command = [*_COMMAND, "-C", str(at), *arguments]
    if largest_file_bytes is not None:
        blocks = str(largest_file_bytes // _BLOCK_BYTES)
        command = ["/bin/sh", "-c", 'trap "" XFSZ && ulimit -S -f "$0" && exec "$@"', blocks, *command]
    return await _run(command, _name(arguments), environment=environment, given=given, timeout_seconds=timeout_seconds)


async def workspace_git(user: WorkspaceUser, *arguments: str, at: Path, given: str | None = None) -> str:
    """Run git as the workspace's user, at a directory of that user's, and return what it printed as `git` does.

    Raises:
        GitError: git failed, or took longer than five minutes.
    """
    command = user.command("git", *_WORKSPACE_COMMAND, *arguments, directory=at)
    return await _run(command, _name(arguments), environment=_environment(None, ""), given=given)


async def run_as(user: WorkspaceUser, *command: str, at: Path, given: str | None = None, about: str = "") -> str:
    """Run a program of ours, in Git's room, as the workspace's user, and return what it printed.

    Raises:
        GitError: it failed, or took longer than five minutes. `about` says then what it was for.
    """
    program = user.command("git", *command, directory=at)
    return await _run(program, about, environment=_environment(None, ""), given=given)


async def output_as(user: WorkspaceUser, *command: str, at: Path) -> AsyncGenerator[bytes]:
    """Run a program of ours, in Git's room, as the workspace's user, and yield what it prints, in pieces.

    Raises:
        GitError: it failed.
    """
    started = await asyncio.create_subprocess_exec(
        *user.command("git", *command, directory=at),
        env=_environment(None, ""),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with ended(started) as process:
        while process.stdout and (piece := await process.stdout.read(_PIECE_BYTES)):
            yield piece
        if status := await process.wait():
            raise GitError(f"git's {command[0]} failed with status {status}.")


async def write_as(user: WorkspaceUser, path: Path, text: str) -> None:
    """Write a file anew as the workspace's user, who may have put a link there that leads to somebody else's.

    Raises:
        GitError: it could not be written.
    """
    script = 'mkdir -p "$(dirname "$0")" && rm -f "$0" && cat >"$0"'
    about = f"directory: {path.name}"
    await run_as(user, "/bin/sh", "-c", script, str(path), at=user.home, given=text, about=about)


async def remove_as(user: WorkspaceUser, path: Path) -> None:
    """Remove a file as the workspace's user.

    Raises:
        GitError: it could not be removed.
    """
    await run_as(user, "/bin/rm", "-f", str(path), at=user.home, about=f"directory: {path.name}")


def upload_pack(user: WorkspaceUser, at: Path) -> str:
    """Return what `git fetch --upload-pack` runs so that the other side of the fetch is the workspace's."""
    return shlex.join(user.command("git", _GIT, "upload-pack", directory=at))


def _name(arguments: Sequence[str]) -> str:
    """Return git's word for what it does: the first that is no option with its value."""
    words = iter(arguments)
    return next((word for word in words if word != "-c" or not next(words, "")), "")


async def _run(
    command: list[str],
    name: str,
    *,
    environment: dict[str, str],
    given: str | None = None,
    timeout_seconds: int = GIT_SECONDS,
) -> str:
    async with _Pipe() as output, _Pipe() as errors:
        started = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
            stdout=output.writing,
            stderr=errors.writing,
        )
        output.writing.close()
        errors.writing.close()
        try:
            async with ended(started) as process, asyncio.timeout(timeout_seconds):
                work = [
                    asyncio.create_task(output.read(name, _MOST_PRINTED_BYTES)),
                    asyncio.create_task(errors.read(name, _MOST_COMPLAINT_BYTES)),
                    asyncio.create_task(_feed(process.stdin, given)),
                ]
                try:
                    printed, complaint, _ = await asyncio.gather(*work)
                finally:
                    for task in work:
                        task.cancel()
                await process.wait()
        except TimeoutError:
            raise GitError(f"git {name} took longer than {timeout_seconds} s.") from None
    if process.returncode != 0:
        words = (complaint or printed).decode(errors="replace").strip()
        raise GitError(f"git {name} failed: {words[-2000:]}")
    return printed.decode(errors="replace").removesuffix("\n")


class _Pipe:
    """What a process writes. Programs of the repository's choosing, such as filters, may write to it and outlive it.

    It's closed with the block, whoever still has its other end. `writing` is for the process; close it here then.
    """

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self._reading, self.writing = os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0)
        self._reader = asyncio.StreamReader()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), self._reading
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()
        self.writing.close()

    async def read(self, name: str, limit_bytes: int) -> bytes:
        """Return all that is written until everybody has closed it.

        Raises:
            GitError: it's more than the limit.
        """
        read = bytearray()
        while piece := await self._reader.read(_PIECE_BYTES):
            read += piece
            if len(read) > limit_bytes:
                raise GitError(f"git {name} printed more than {limit_bytes >> 20} MiB.")
        return bytes(read)


async def _feed(stream: asyncio.StreamWriter | None, given: str | None) -> bytes:
    if stream is not None and given is not None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended without reading all: its status says why
            stream.write(given.encode())
            await stream.drain()
        stream.close()
    return b""


def _environment(token: GitToken | None, url: str) -> dict[str, str]:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        # The home directory is the model's to write; git and curl would read .gitconfig and .netrc there.
        "HOME": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        # `refs/replace` of a hostile repository would show us other commits than GitHub gets.
        "GIT_NO_REPLACE_OBJECTS": "1",
        # What's in Git LFS is fetched by the supervisor, who has the token for it, and put in place afterwards.
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_HTTP_LOW_SPEED_LIMIT": "1",
        "GIT_HTTP_LOW_SPEED_TIME": str(_STALLED_SECONDS),
        **network_environment(os.environ),
    }
    if token is not None:
        pair = f"{token.username}:{token.token.get_secret_value()}".encode()
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {base64.b64encode(pair).decode()}",
        }
    return environment

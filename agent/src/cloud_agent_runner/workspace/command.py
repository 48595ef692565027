"""A shell command of the repository's, and everything that it starts."""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from cloud_agent_runner.workspace.command_output import CommandOutput
from cloud_agent_runner.workspace.user import Processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cloud_agent_runner.workspace.user import WorkspaceUser

_CHUNK_BYTES = 65536
_CANNOT_BE_RUN = 126  # POSIX.1-2017, Shell Command Language, 2.8.2: found, but not an executable utility
FLOODED = "it wrote more than 100 MB within a minute"


class WorkspaceCommand:
    """A shell command that runs as the workspace's user, its output kept as lines.

    Create it with `start`. When the command ends, so does all that it has left running; `end` ends it all earlier.
    """

    def __init__(self, process: asyncio.subprocess.Process, output: int, lines: CommandOutput) -> None:
        self._process = process
        self._output = lines
        self._reader = asyncio.create_task(self._read(output))

    @classmethod
    async def start(  # noqa: PLR0913 - what a command is made of
        cls,
        name: str,
        command: str,
        *,
        user: WorkspaceUser,
        directory: Path,
        environment: Mapping[str, str],
        processes: Processes = Processes.INSTALL,
        hidden: Iterable[str] = (),
    ) -> Self:
        """Start `command` in `/bin/sh`, with exactly `environment`; values of `hidden` are not shown in its lines.

        One that no process can be given ends with status 126, as in a shell, and its line says why.
        """

        async def run(command: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(
                *user.command(name, "/bin/sh", "-c", command, directory=directory, processes=processes),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=written,
                stderr=asyncio.subprocess.STDOUT,
            )

        # A pipe of our own: asyncio would count the command as running while anything it left holds its pipe.
        output, written = os.pipe()
        try:
            process = await run(command, environment)
        except (ValueError, OSError) as error:
            if not (reason := _reason(error)):
                raise
            process = await run(f"echo {shlex.quote(reason)}; exit {_CANNOT_BE_RUN}", user.environment())
        finally:
            os.close(written)
        return cls(process, output, CommandOutput(name, hidden))

    async def wait(self) -> int:
        """Wait until the command and all that it has left are gone, and return its exit status."""
        return await self._process.wait()

    @property
    def pid(self) -> int:
        """The process below which all of it runs."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the command itself has ended."""
        return self._process.returncode is not None

    @property
    def is_flood(self) -> bool:
        """Whether it was ended because it wrote more than 100 MB within a minute."""
        return self._output.is_flood

    def note(self, line: str) -> None:
        """Add a line of the supervisor's own to what it wrote."""
        self._output.note(line)

    @property
    def lines(self) -> list[str]:
        """The last lines written, as many as are kept."""
        return self._output.lines

    def last_lines(self, count: int) -> str:
        """Return the last lines written, for a person to read."""
        return self._output.last_lines(count)

    async def end(self) -> None:
        """End the command and all that it has started: politely, then, after a second, for certain."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await self._process.wait()
        finally:
            self._reader.cancel()

    async def drain(self) -> None:
        """Wait a moment for output that was written but not read yet."""
        await asyncio.wait([self._reader], timeout=0.5)

    async def _read(self, output: int) -> None:
        """Read in chunks: a line may be longer than any buffer."""
        stream = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", buffering=0)
        )
        try:
            while chunk := await stream.read(_CHUNK_BYTES):
                self._output.take(chunk)
                if self._output.is_flood:
                    self.note(f"(Stopped: {FLOODED}.)")
                    with suppress(ProcessLookupError):
                        self._process.terminate()
                    break
        finally:
            pipe.close()
            self._output.finish()


def _reason(error: ValueError | OSError) -> str:
    """Return why no process can have these arguments and variables; nothing where the fault is another one."""
    if isinstance(error, ValueError):  # of the C functions that take a string to its first NUL, or of the encoding
        return "(Not started: the command or one of its variables contains a NUL character or isn't valid Unicode.)"
    if error.errno == errno.E2BIG:
        return "(Not started: the command or its variables are too long.)"
    return ""

"""A shell command and everything that it starts, in one process group."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

_LINES_KEPT = 200
_LINE_LIMIT_CHARACTERS = 2000
_GRACE_SECONDS = 2
_SHORTEST_HIDDEN_CHARACTERS = 4


class ProcessGroup:
    """A shell command in a process group of its own, its output kept as lines.

    Create it with `start`. `end` leaves no member of the group alive.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, output: int, hidden: list[str]) -> None:
        self._name = name
        self._hidden = hidden
        self._process = process
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._reader = asyncio.create_task(self._read(output))

    @classmethod
    async def start(
        cls, name: str, command: str, cwd: Path, environment: Mapping[str, str], *, hidden: Iterable[str] = ()
    ) -> Self:
        """Start `command` in `/bin/sh`, with exactly `environment`.

        Lines it writes are kept and logged with each value of `hidden` (each of its lines, from 4 characters on)
        replaced by ***: they may be shown on a pull request.
        """
        # A pipe of our own: asyncio would count the command as running while anything it left holds its pipe.
        output, written = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                command,
                cwd=cwd,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=written,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(written)
        lines = {line for value in hidden for line in value.splitlines() if len(line) >= _SHORTEST_HIDDEN_CHARACTERS}
        return cls(name, process, output, sorted(lines, key=len, reverse=True))

    async def wait(self) -> int:
        """Wait for the command itself (not for what it left running) and return its exit status."""
        return await self._process.wait()

    def last_lines(self, count: int) -> str:
        """Return the last lines written, for a person to read."""
        return "\n".join(list(self._lines)[-count:]) or "(it wrote nothing)"

    async def end(self) -> None:
        """End every process of the group: politely, then, after 2 s, for certain."""
        try:
            self._signal(signal.SIGTERM)
            deadline = asyncio.get_running_loop().time() + _GRACE_SECONDS
            while self._alive() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)
        finally:
            self._signal(signal.SIGKILL)
            self._reader.cancel()
        await self._process.wait()

    async def drain(self) -> None:
        """Wait a moment for output that was written but not read yet."""
        await asyncio.wait([self._reader], timeout=0.5)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _alive(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group of zombies
            return False
        return True

    async def _read(self, output: int) -> None:
        """Read in chunks: a line may be longer than any buffer."""
        stream = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", buffering=0)
        )
        rest = b""
        try:
            while chunk := await stream.read(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                self._keep(lines)
                if len(rest) > _LINE_LIMIT_CHARACTERS:
                    self._keep([rest])
                    rest = b""
        finally:
            pipe.close()
        if rest:
            self._keep([rest])

    def _keep(self, lines: list[bytes]) -> None:
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            for value in self._hidden:
                text = text.replace(value, "***")
            text = text[:_LINE_LIMIT_CHARACTERS]
            self._lines.append(text)
            logger.info("process output", extra={"program": self._name, "line": text})

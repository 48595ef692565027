"""How the supervisor asks the secret scanner: one server that has read the rules, and a process for each connection."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

_LONGEST_ANSWER_BYTES = 8 << 20
_LATER_SECONDS = 5  # so that who asks, and not the process, says first that it took too long


class ScannerError(Exception):
    """The scanner's process failed, or ended before it answered."""


class ScannerConnection:
    """A process that looks for secrets. It has no credential, no capability and a limit of memory."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls) -> Self:
        """Connect. The server is started if it doesn't run; it ends with this process.

        Raises:
            ScannerError: it can't be reached.
        """
        try:
            connection = _SERVER.connect()
        except OSError as error:
            raise ScannerError(str(error)) from error
        return cls(*await asyncio.open_unix_connection(sock=connection, limit=_LONGEST_ANSWER_BYTES))

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    async def ask(self, seconds: float, **request: object) -> list[Any]:
        """Return what a `text`, or the `commits` of a repository, has.

        Where that is interrupted or fails, close the connection: an answer may still come.

        Raises:
            TimeoutError: it took longer than so many seconds. The process ends by itself.
            ScannerError: see there.
        """
        try:
            async with asyncio.timeout(seconds):
                self._writer.write(json.dumps({"seconds": seconds + _LATER_SECONDS} | request).encode() + b"\n")
                await self._writer.drain()
                answer = json.loads(await self._reader.readuntil(b"\n"))
        except TimeoutError:
            raise
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ScannerError(type(error).__name__) from error
        if "fault" in answer:
            raise ScannerError(answer["fault"])
        return list(answer["found"])

    def close(self) -> None:
        """Leave the process, which then ends."""
        self._writer.close()


class _Server:
    """Whose rules take longer to read than most texts; so this is done once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._handing_over = socket.socket(socket.AF_UNIX)

    def connect(self) -> socket.socket:
        """Return a connection to a process of its own."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._handing_over, [b"."], [theirs.fileno()])
        return ours

    def _start(self) -> None:
        self._handing_over.close()
        self._handing_over, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                (sys.executable, "-P", "-s", "-m", "cloud_agent_runner.secret_scan.server"),
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "LANG": "C.UTF-8",
                    # Where the image keeps the agent; the supervisor's own environment no longer has it.
                    "PYTHONPATH": str(Path(__file__).parents[2]),
                },
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )


_SERVER = _Server()

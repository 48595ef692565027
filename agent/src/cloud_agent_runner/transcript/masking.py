"""Secrets in texts are replaced by ***: those that this session was given, and whatever looks like one."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.transcript.events import texts_changed
from cloud_agent_runner.workspace.command_output import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Event = dict[str, Any]

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 30
_LONGEST_ANSWER_BYTES = 8 << 20
_FAULTS = (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class MaskingError(Exception):
    """Nobody knows whether the texts hold a secret."""


class SecretMask:
    """Masks by values, which `given` returns as they are known by now, and by the rules of the secret scan.

    The rules look at what anybody may have written, so they run in a process of their own that has no credential.
    """

    def __init__(self, given: Callable[[], Iterable[str]]) -> None:
        self._given = given
        self._process: asyncio.subprocess.Process | None = None

    async def over(self, events: list[Event]) -> list[Event]:
        """Return the events without secrets in any of their texts.

        Raises:
            MaskingError: the process failed twice.
        """
        mask = Mask(self._given())
        known = [texts_changed(event, mask.over) for event in events]
        found = Mask(await self._found_in(_texts(known)))
        return [texts_changed(event, found.over) for event in known]

    async def aclose(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _found_in(self, text: str) -> list[str]:
        try:
            return await self._ask(text)
        except _FAULTS as error:
            logger.warning("masking repeated", extra={"reason": type(error).__name__})
        try:
            return await self._ask(text)
        except _FAULTS as error:
            raise MaskingError(type(error).__name__) from error

    async def _ask(self, text: str) -> list[str]:
        """Ask the process, or a new one. One that was left before its answer is ended: it would come next time."""
        process, self._process = self._process or await _start(), None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await _exchange(process, text)
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            raise
        self._process = process
        return answer


async def _exchange(process: asyncio.subprocess.Process, text: str) -> list[str]:
    if process.stdin is None or process.stdout is None:
        raise OSError("no pipes")
    process.stdin.write(json.dumps(text).encode() + b"\n")
    await process.stdin.drain()
    return [str(value) for value in json.loads(await process.stdout.readuntil(b"\n"))]


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-s", "-m", "cloud_agent_runner.transcript.mask_process"),
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).parents[2]),  # where the image keeps the agent
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_ANSWER_BYTES,
    )


def _texts(events: Iterable[Event]) -> str:
    """Return all texts of the events, each with lines of its own."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    for event in events:
        texts_changed(event, note)
    return "\n".join(found)

"""A program of ours that is gone once nobody needs it, whatever happens to whoever started it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def ended(process: Process) -> AsyncGenerator[Process]:
    """Yield a process that was started, and have it gone when the block is left: however often that is cancelled.

    It has to end soon after SIGTERM, as every command of the workspace's user does.
    """
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await _gone(process)


async def _gone(process: Process) -> None:
    cancelled = None
    while process.returncode is None:
        try:
            await process.wait()
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled

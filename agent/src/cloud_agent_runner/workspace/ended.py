"""A program of ours that is gone once nobody needs it, whatever happens to whoever started it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator


# Longer than the reaper takes, which ends politely first what it has started.
_POLITE_SECONDS = 10


@asynccontextmanager
async def ended(process: Process) -> AsyncGenerator[Process]:
    """Yield a process that was started, and have it gone when the block is left: however often that is cancelled.

    If it doesn't end within ten seconds of SIGTERM, it's killed.
    """
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await _gone(process)


async def _gone(process: Process) -> None:
    deadline: float | None = asyncio.get_running_loop().time() + _POLITE_SECONDS
    cancelled = None
    while process.returncode is None:
        try:
            async with asyncio.timeout_at(deadline):
                await process.wait()
        except TimeoutError:
            process.kill()
            deadline = None
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled

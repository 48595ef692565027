"""A process of a dev server: kept running, and started again whenever it ends, with growing pauses."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from cloud_agent_runner.workspace.command import FLOODED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from cloud_agent_runner.notices import Notices
    from cloud_agent_runner.workspace.command import WorkspaceCommand

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STEADY_AFTER_SECONDS = 60
_DEATHS_OF_A_FAILURE = 3
_FINE_AFTER_SECONDS = 10.0
_LINES_KEPT = 50


class KeptProcess:
    """Starts a process by `start`, again and again; `attend`, if there is one, goes along with each while it runs."""

    def __init__(
        self,
        name: str,
        start: Callable[[], Awaitable[WorkspaceCommand]],
        notices: Notices,
        attend: Callable[[WorkspaceCommand], Coroutine[Any, Any, object]] | None = None,
    ) -> None:
        """`name` is what people call it, after `the`."""
        self.name = name
        self.command: WorkspaceCommand | None = None
        self.deaths = 0
        """How many times it has died, none of them after a minute or more of life."""
        self.last_words = ""
        """What it wrote before it died, its last lines."""
        self._start = start
        self._notices = notices
        self._attend = attend
        self._restarts = asyncio.Event()
        self._started_at = 0.0

    async def keep_running(self) -> NoReturn:
        """Run it until cancelled; when it dies, start it again, with growing pauses."""
        pause = _FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            self._restarts.clear()
            started = self._started_at = clock()
            status = await self._run()
            if self._restarts.is_set():
                continue
            if clock() - started > _STEADY_AFTER_SECONDS:
                self.deaths, pause = 0, _FIRST_PAUSE_SECONDS
            self.deaths += 1
            self.last_words = self.last_lines(_LINES_KEPT)
            fields = {"program": self.name, "status": status, "restart_in_seconds": pause}
            logger.warning("dev server ended", extra=fields)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._restarts.wait()
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    @property
    def keeps_ending(self) -> bool:
        """Whether it has died three times, and hasn't run for ten seconds since."""
        runs = self.command is not None and not self.command.has_ended
        age = asyncio.get_running_loop().time() - self._started_at if runs else 0.0
        return self.deaths >= _DEATHS_OF_A_FAILURE and age < _FINE_AFTER_SECONDS

    async def restart(self) -> None:
        """End it, so that it starts again at once; that's no death."""
        self.deaths = 0
        self._restarts.set()
        if self.command:
            await self.command.end()

    def last_lines(self, count: int) -> str:
        """Return the last lines that it wrote; nothing where it hasn't run."""
        return self.command.last_lines(count) if self.command else ""

    async def _run(self) -> int:
        """Run it until it ends, and return its exit status."""
        command = self.command = await self._start()
        try:
            async with asyncio.TaskGroup() as tasks:
                attending = tasks.create_task(self._attend(command)) if self._attend else None
                status = await command.wait()
                await command.drain()
                if attending:
                    attending.cancel()  # and wait for it: what starts anew may want the port that is forwarded
        finally:
            await command.end()
        if command.is_flood:
            self._notices.add(f"The {self.name} was stopped: {FLOODED}.")
        return status

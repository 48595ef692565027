"""Which tool Claude uses, told to onlookers no more often than they're shown it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.claude.todo_list import TodoProgress

logger = logging.getLogger(__name__)

# The comment on the pull request isn't edited again for 30 s (contracts/limits.json), and an edit takes a moment.
INTERVAL_SECONDS = 32.0


class ToolReports:
    """Reports the tools of one turn while it's entered: the first at once, after a pause the latest of those since.

    Claude's progress with its to-do list is reported beside what it does, and replaces nothing of that.
    """

    def __init__(self, api: AgentApi, prompt_id: str) -> None:
        self._api = api
        self._prompt_id = prompt_id
        self._latest: dict[bool, tuple[str, str, TodoProgress | None]] = {}  # by whether it's of the list
        self._news = asyncio.Event()
        self._sending = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Begin to report."""
        self._task = asyncio.create_task(self._report_forever())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End once the report that is on its way has arrived, so that none comes after the turn's own end."""
        try:
            async with self._sending:
                pass
        finally:
            self._task.cancel()

    def add(self, tool: str, detail: str, todo: TodoProgress | None) -> None:
        """Take in what Claude does now."""
        self._latest[todo is not None] = (tool, detail, todo)
        self._news.set()

    async def _report_forever(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            async with self._sending:
                await self._send()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _send(self) -> None:
        latest, self._latest = self._latest, {}
        for tool, detail, todo in latest.values():
            try:
                await self._api.tool_used(self._prompt_id, tool, detail, todo)
            except AgentError as error:  # whoever asks for prompts learns of an end, and of a token that is refused
                logger.warning("tool use not reported", extra={"reason": str(error)})

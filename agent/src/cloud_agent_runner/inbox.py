"""The session's open prompts and interrupts, polled from the Agent API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_agent_runner.agent_api import AgentApi, Prompt

POLL_SECONDS = 1


class Inbox:
    """What the session is asked: prompts in the order people wrote them, an interrupt at once."""

    def __init__(self, api: AgentApi) -> None:
        self._api = api
        self._seen: set[str] = set()
        self._waiting: asyncio.PriorityQueue[tuple[str, Prompt]] = asyncio.PriorityQueue()
        self._interrupt: str | None = None

    async def next(self) -> Prompt:
        """Wait for the earliest prompt that was not returned before: ids sort by when people wrote."""
        _, prompt = await self._waiting.get()
        return prompt

    async def collect(self, interrupt: Callable[[], Awaitable[None]]) -> None:
        """Take requests in for good, also while earlier ones are being worked on.

        `interrupt` is called once for each new request to interrupt. The end of the session is learnt here, too.
        """
        while True:
            requests = await self._api.requests()
            for prompt in requests.prompts:
                if prompt.id not in self._seen:
                    self._seen.add(prompt.id)
                    self._waiting.put_nowait((prompt.id, prompt))
            if requests.interrupt not in (None, self._interrupt):
                self._interrupt = requests.interrupt
                await interrupt()
            await asyncio.sleep(POLL_SECONDS)

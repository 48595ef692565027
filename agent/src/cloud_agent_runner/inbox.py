"""The session's open prompts and interrupts, and where its branch is, asked for at the Agent API."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from cloud_agent_runner.model.choice import ModelChoice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.agent_api_messages import Prompt, Requests

# contracts/limits.json has these, and ADR-017 what they cost and how long they let a person wait.
BUSY_POLL_SECONDS = 1  # during a turn, which a person may want to interrupt, and a while after it
IDLE_POLL_SECONDS = 2
CONVERSATION_SECONDS = 300  # a person who reads a reply writes the next comment within minutes, or much later
HEARTBEAT_SECONDS = 30
_JITTER = 0.1  # of a pause, either way: agents that started at once do not ask at once for good


class Inbox:
    """What the session is asked: prompts in the order people wrote them, an interrupt at once.

    `chosen` is the model that somebody chose last, None while nobody has.
    """

    def __init__(self, api: AgentApi) -> None:
        self._api = api
        self._begun: set[str] = set()
        self._waiting: dict[str, Prompt] = {}
        self._has_prompts = asyncio.Event()
        self._interrupt: str | None = None
        self._branch_sha: str | None = None
        self._branch_has_moved = asyncio.Event()
        self.chosen: ModelChoice | None = None
        self._idle_since: float | None = None
        self._last_heartbeat: float | None = None

    async def next(self) -> Prompt:
        """Wait for the earliest prompt that was not returned before: ids sort by when people wrote.

        Until this is called again, the session is at work on that prompt.
        """
        self._idle_since = _now()
        await self._has_prompts.wait()
        self._idle_since = None
        first = min(self._waiting)
        self._begun.add(first)
        prompt = self._waiting[first]
        self._keep(self._waiting.values())
        return prompt

    async def branch_moved(self) -> str:
        """Wait until GitHub has said that the branch was moved, since this last returned; return the newest commit."""
        await self._branch_has_moved.wait()
        self._branch_has_moved.clear()
        return self._branch_sha or ""

    async def collect(
        self, interrupt: Callable[[], Awaitable[None]], watched: Callable[[bool], None] = lambda _: None
    ) -> None:
        """Take requests in for good, also while earlier ones are being worked on, and say that the agent is alive.

        `interrupt` is called once for each new request to interrupt, and `watched` each time with whether somebody has
        the session's page open. The end of the session is learnt here, too.
        """
        while True:
            requests = await self._ask()
            self._keep(requests.prompts)
            watched(requests.is_watched)
            if requests.model is not None:
                self.chosen = ModelChoice(requests.model, requests.effort)
            if requests.interrupt not in {None, self._interrupt}:
                self._interrupt = requests.interrupt
                await interrupt()
            if requests.branch_sha not in {None, self._branch_sha}:
                self._branch_sha = requests.branch_sha
                self._branch_has_moved.set()
            await asyncio.sleep(self._poll_seconds() * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - no secret

    def _keep(self, prompts: Iterable[Prompt]) -> None:
        """Keep what is to be worked on: the prompts as they were listed last, for people edit and delete them."""
        self._waiting = {prompt.id: prompt for prompt in prompts if prompt.id not in self._begun}
        if self._waiting:
            self._has_prompts.set()
        else:
            self._has_prompts.clear()

    async def _ask(self) -> Requests:
        """Ask what there is; every half a minute by a heartbeat, which returns the same."""
        if self._last_heartbeat is not None and _now() - self._last_heartbeat < HEARTBEAT_SECONDS:
            return await self._api.requests()
        requests = await self._api.heartbeat()
        self._last_heartbeat = _now()
        return requests

    def _poll_seconds(self) -> float:
        is_idle = self._idle_since is not None and _now() - self._idle_since > CONVERSATION_SECONDS
        return IDLE_POLL_SECONDS if is_idle else BUSY_POLL_SECONDS


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Agents that live side by side for a while, and the people who write to them."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.agents.agent import Agent

SETTLED_SECONDS = 8  # by then every agent has begun
NEWS_A_SECOND = 3  # comments and interrupts, all agents together


async def live(agents: Sequence[Agent], seconds: int, quiet_from: float) -> None:
    """Let them live; people write once the agents have settled, until it's to be quiet.

    Raises:
        ExceptionGroup: agents failed, with the first one's failure.
    """
    clock = asyncio.get_running_loop().time
    began, running = clock(), [asyncio.create_task(agent.run()) for agent in agents]
    for second in range(seconds):
        if SETTLED_SECONDS < second < quiet_from:
            asked = random.sample(agents, min(len(agents), NEWS_A_SECOND))
            await asyncio.gather(*(agent.ask() for agent in asked))
        await asyncio.sleep(began + second + 1 - clock())
    for task in running:
        task.cancel()
    ended = await asyncio.gather(*running, return_exceptions=True)
    failures = [one for one in ended if isinstance(one, Exception)]
    if failures:
        raise ExceptionGroup(f"{len(failures)} agents failed", failures[:1])

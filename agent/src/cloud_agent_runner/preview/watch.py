"""Reports whether the dev server listens, as long as the session runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.agent_api import AgentApi, AgentApiUnavailableError, DevServerState

if TYPE_CHECKING:
    from cloud_agent_runner.preview.dev_server import DevServer

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
_SAME_AGAIN_SECONDS = 10.0


async def watch(dev_server: DevServer, api: AgentApi, *, look_seconds: float = _LOOK_SECONDS) -> None:
    """Report whenever the dev server starts or stops listening, until cancelled.

    Visitors meanwhile see its last lines, which are reported again when they have changed, every
    10 s at most. A server that is away for a single look only restarts: that is not reported.
    """
    reported, reported_at, missed = DevServerState(answering=True), 0.0, False
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(look_seconds)
        listens = await dev_server.listens()
        missed, missed_before = not listens, missed
        if missed and not missed_before:
            continue
        log = "" if listens else dev_server.last_lines()
        state = DevServerState(answering=listens, log=log)
        same_again = state.answering == reported.answering and clock() - reported_at < _SAME_AGAIN_SECONDS
        if state == reported or same_again:
            continue
        try:
            await api.dev_server(state)
        except AgentApiUnavailableError as error:  # the next look reports it
            logger.warning("dev server's state not reported", extra={"reason": str(error)})
        else:
            reported, reported_at = state, clock()
            logger.info("dev server's state reported", extra={"answering": listens})

"""The end that was asked for: nobody new is let in, and who is in may finish."""

from __future__ import annotations

import asyncio
import logging

from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError

logger = logging.getLogger(__name__)

_MOST_SECONDS = 25  # ECS loses patience after 60 (StopTimeout), and the last visits are still to be written
_LOOK_SECONDS = 0.1


async def drain(haproxy: RuntimeApi) -> None:
    """Return when no request is under way any more, or after 25 s.

    WebSockets are closed at once: they have no end of their own, and their pages open them again through
    another proxy. Sessions that stop or move meanwhile still lose their routes, which HAProxy's own soft stop
    would not allow: it closes its runtime socket first.
    """
    logger.info("drain started")
    try:
        await haproxy.accept_nobody_new()
        closed = await haproxy.close_websockets()
        async with asyncio.timeout(_MOST_SECONDS):
            while await haproxy.count_requests():  # noqa: ASYNC110 - HAProxy tells nobody by itself
                await asyncio.sleep(_LOOK_SECONDS)
    except RuntimeApiError as error:
        logger.error("drain cut short", extra={"reason": str(error)})  # noqa: TRY400 - the text says it all
    except TimeoutError:
        logger.warning("drain ran out of time", extra={"seconds": _MOST_SECONDS})
    else:
        logger.info("drain finished", extra={"websockets_closed": closed})

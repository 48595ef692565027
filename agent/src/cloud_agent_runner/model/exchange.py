"""One exchange with the model API: it goes on to the response's end, whoever has stopped waiting for that."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx

logger = logging.getLogger(__name__)

# For what a response has cost, which only its end says. Most end within a minute or two.
_READ_ON_SECONDS = 600


class Exchange:
    """A task that calls the API and reads the response, and what its caller has of it so far.

    `response` has the status and headers once they have come, or raises why there are none. `parts` is the body.
    """

    def __init__(self, work: Callable[[Exchange], Awaitable[None]]) -> None:
        self.response: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._is_left = False
        self.task = asyncio.ensure_future(self._done(work))

    async def _done(self, work: Callable[[Exchange], Awaitable[None]]) -> None:
        try:
            await work(self)
        except Exception as error:
            if self.response.done():
                logger.exception("model call failed")
            else:
                self.response.set_exception(error)
                self.response.exception()  # noted, as nobody may wait for it any more
        finally:
            self.response.cancel()
            self._parts.put_nowait(None)

    def begin(self, response: httpx.Response) -> None:
        """Have the caller see the status and headers."""
        self.response.set_result(response)

    def add(self, part: bytes) -> None:
        """Have the caller get the next part of the body.

        The API is never kept waiting for a slow caller: what waits is one response.
        """
        if not self._is_left:
            self._parts.put_nowait(part)

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        while (part := await self._parts.get()) is not None:
            yield part

    def leave(self) -> None:
        """Note that the caller has gone. What is still to come is read for its cost, for a bounded time."""
        self._is_left = True
        bound = asyncio.get_running_loop().call_later(_READ_ON_SECONDS, self.task.cancel)
        self.task.add_done_callback(lambda _: bound.cancel())

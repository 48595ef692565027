"""An event loop whose clock jumps to the next thing that is due: hours of waiting pass in no time.

For what waits on nothing but the loop itself. A real socket or thread isn't waited for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop but for its clock."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        """Return the seconds that were skipped: a busy machine adds none of its own."""
        return self._now

    def _run_once(self) -> None:
        internals: Any = self
        timers = internals._scheduled  # noqa: SLF001 - asyncio has no other way in
        if timers and not internals._ready:  # noqa: SLF001 - as above
            due = timers[0]
            if due.cancelled():  # asyncio removes it, and would wait in real time for the next one
                due = min((timer for timer in timers if not timer.cancelled()), default=due)
            self._now = max(self._now, due.when())
        super()._run_once()  # type: ignore[misc]  # typeshed leaves out what is private


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)

"""Claude's first change waits for the first installation: until then Claude reads."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

_LIMIT_SECONDS = 60.0


class FirstChange:
    """Holds back what Claude would change while dependencies are being installed for the first time, a minute at most.

    What the install command alone has made can be kept for all of the repository's sessions, and told from what Claude
    makes. It also keeps two package managers from working on one folder at once.
    """

    def __init__(
        self,
        installed: Callable[[], Awaitable[None]],
        *is_due: Callable[[], None],
        limit_seconds: float = _LIMIT_SECONDS,
    ) -> None:
        """`installed` returns once the installation is over; each of `is_due` is called right before the change."""
        self._installed = installed
        self._is_due = is_due
        self._limit_seconds = limit_seconds
        self._has_begun = False

    async def __call__(self) -> None:
        """Return when Claude may change something."""
        if self._has_begun:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limit_seconds):
                await self._installed()
        if not self._has_begun:
            self._has_begun = True
            for tell in self._is_due:
                tell()
            logger.info("claude may change files")

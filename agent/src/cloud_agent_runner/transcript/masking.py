"""Secrets in texts are replaced by ***: those that this session was given, and whatever looks like one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.secret_scan.client import ScannerConnection, ScannerError
from cloud_agent_runner.transcript.events import texts_changed
from cloud_agent_runner.workspace.command_output import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Event = dict[str, Any]

logger = logging.getLogger(__name__)

_RESPONSE_SECONDS = 30
_FAULTS = (ScannerError, TimeoutError)


class MaskingError(Exception):
    """Nobody knows whether the texts hold a secret."""


class SecretMask:
    """Masks by values, which `given` returns as they are known by now, and by the rules of the secret scan.

    The rules look at what anybody may have written, so they run in a process of their own that has no credential.
    """

    def __init__(self, given: Callable[[], Iterable[str]]) -> None:
        self._given = given
        self._scanner: ScannerConnection | None = None

    async def over(self, events: list[Event]) -> list[Event]:
        """Return the events without secrets in any of their texts.

        Raises:
            MaskingError: the process failed twice.
        """
        mask = Mask(self._given())
        known = [texts_changed(event, mask.over) for event in events]
        found = Mask(await self._found_in(_texts(known)))
        return [texts_changed(event, found.over) for event in known]

    async def aclose(self) -> None:
        """Leave the scanner's process."""
        if self._scanner is not None:
            self._scanner.close()
            self._scanner = None

    async def _found_in(self, text: str) -> list[str]:
        try:
            return await self._ask(text)
        except _FAULTS as error:
            logger.warning("masking repeated", extra={"reason": type(error).__name__})
        try:
            return await self._ask(text)
        except _FAULTS as error:
            raise MaskingError(type(error).__name__) from error

    async def _ask(self, text: str) -> list[str]:
        """Ask the process, or a new one. One that was left before its answer is left: it would come next time."""
        scanner, self._scanner = self._scanner or await ScannerConnection.open(), None
        try:
            found = await scanner.ask(_RESPONSE_SECONDS, text=text)
        except BaseException:
            scanner.close()
            raise
        self._scanner = scanner
        return found


def _texts(events: Iterable[Event]) -> str:
    """Return all texts of the events, each with lines of its own."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    for event in events:
        texts_changed(event, note)
    return "\n".join(found)

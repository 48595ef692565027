"""Looks for secrets in commits before they are pushed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.secret_scan.client import ScannerConnection, ScannerError
from cloud_agent_runner.secret_scan.found_secret import FoundSecret

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 120


class SecretScanError(AgentError):
    """Commits couldn't be scanned, so nobody knows whether they hold a secret."""


async def scan_for_secrets(repository: Path, base: str, head: str, *published: str) -> list[FoundSecret]:
    """Return what looks like a secret in the commits from `base` to `head` of a bare repository.

    Commits that `base` or one of `published` has aren't looked at: they are on GitHub.

    The scanner's process has no credential.

    Raises:
        SecretScanError: the scanner failed, took longer than two minutes or needed more memory than it may have.
    """
    try:
        async with await ScannerConnection.open() as scanner:
            found = await scanner.ask(_TIMEOUT_SECONDS, commits=[str(repository), base, head, *published])
    except TimeoutError:
        raise SecretScanError(
            f"Scanning them for secrets took longer than {_TIMEOUT_SECONDS} s. Comment and ask Claude to take large "
            "generated files out of them."
        ) from None
    except ScannerError as error:
        logger.error("secret scan failed", extra={"reason": str(error)[-2000:]})  # noqa: TRY400 - the text is all of it
        raise SecretScanError("They couldn't be scanned for secrets; the session's log says why.") from error
    return [FoundSecret(**one) for one in found]

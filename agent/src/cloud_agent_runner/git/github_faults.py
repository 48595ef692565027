"""Faults of GitHub, or of the way there, that pass: they are waited out."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from typing import TYPE_CHECKING

from cloud_agent_runner.git.command import GitError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 20.0
# What git and curl say where no usable response came ("git: remote-curl.c, http.c, fetch-pack.c").
_FAULT = re.compile(
    r"unable to access '"
    r"|RPC failed"
    r"|early EOF"
    r"|unexpected disconnect"
    r"|the remote end hung up"
    r"|invalid index-pack output"
)
# A response that asking again won't change: refused, not found, not let through by a proxy, not to be trusted.
_REFUSED = re.compile(r"error: 4(?!08|29)\d\d|HTTP 4(?!08|29)\d\d|response 4\d\d|certificate")
# HTTP 401, at which git asks for another password, and 403.
_DENIED = re.compile(r"Authentication failed|could not read (?:Username|Password)|error: 40[13]")


def passes(error: GitError) -> bool:
    """Return whether what git failed of is worth waiting for: a lost connection, a timeout, HTTP 429 or 5xx."""
    text = str(error)
    return _FAULT.search(text) is not None and _REFUSED.search(text) is None


def is_denied(error: GitError) -> bool:
    """Return whether GitHub didn't accept the token."""
    return _DENIED.search(str(error)) is not None


async def waited_out(command: Callable[[], Awaitable[str]], patience_seconds: float) -> str:
    """Run a git command until GitHub responds to it, with growing pauses of random length; return what it printed.

    Raises:
        GitError: GitHub refused, or there was no good response for `patience_seconds`. Then the text says so.
    """
    deadline = asyncio.get_running_loop().time() + patience_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await command()
        except GitError as error:
            if not passes(error):
                raise
            if asyncio.get_running_loop().time() + pause > deadline:
                raise GitError(f"GitHub gave no usable response for {patience_seconds:.0f} s. {error}") from error
            logger.warning("git command will be repeated", extra={"reason": str(error)})
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that sessions don't come all at once
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

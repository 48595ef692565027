"""Looks for secrets in commits before they are pushed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cloud_agent_runner.errors import AgentError

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class FoundSecret:
    """What looks like a secret, where it was first committed; `path` is None in a commit's message. Not its value."""

    kind: str
    path: str | None
    line: int
    commit: str


class SecretScanError(AgentError):
    """Commits couldn't be scanned, so nobody knows whether they hold a secret."""


async def scan_for_secrets(repository: Path, base: str, head: str, *published: str) -> list[FoundSecret]:
    """Return what looks like a secret in the commits from `base` to `head` of a bare repository.

    Commits that `base` or one of `published` has aren't looked at: they are on GitHub.

    The scanner's process has no credential.

    Raises:
        SecretScanError: the scanner failed, took longer than two minutes or needed more memory than it may have.
    """
    scanner = (sys.executable, "-P", "-s", "-m", "cloud_agent_runner.secret_scan.scanner")
    process = await asyncio.create_subprocess_exec(
        *(*scanner, str(repository), base, head, *published),
        # PYTHONPATH is where the image keeps the agent; the supervisor's own environment no longer has it.
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            printed, complaint = await process.communicate()
    except TimeoutError:
        raise SecretScanError(
            f"Scanning them for secrets took longer than {_TIMEOUT_SECONDS} s. Comment and ask Claude to take large "
            "generated files out of them."
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        logger.error("secret scan failed", extra={"reason": complaint.decode(errors="replace")[-2000:]})
        raise SecretScanError("They couldn't be scanned for secrets; the session's log says why.")
    return [FoundSecret(**found) for found in json.loads(printed)]

"""Who learns how the preview is: people, through the Agent API, and Claude, from a file."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from cloud_agent_runner.agent_api_connection import AgentApiUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.preview.preview import Preview

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_LOG_AGAIN_SECONDS = 10.0
_LINES_FOR_CLAUDE = 200


async def report_changes(preview: Preview, api: AgentApi, *, look_seconds: float = _LOOK_SECONDS) -> NoReturn:
    """Report how the preview is whenever that changes, until cancelled; a log that merely grows every 10 s at most."""
    reported, reported_at = None, 0.0
    clock = asyncio.get_running_loop().time
    while True:
        report = preview.report
        is_news = reported is None or replace(report, log="") != replace(reported, log="")
        if is_news or (report != reported and clock() - reported_at >= _LOG_AGAIN_SECONDS):
            try:
                await api.preview(report)
                reported, reported_at = report, clock()
            except AgentApiUnavailableError as error:  # the next look reports it
                logger.warning("preview not reported", extra={"reason": str(error)})
        await asyncio.sleep(look_seconds)


async def keep_log(preview: Preview, file: Path, *, look_seconds: float = _LOOK_SECONDS) -> NoReturn:
    """Keep the last 200 lines of install command and dev server in `file` until cancelled. Everybody may read it."""
    written = None
    while True:
        lines = preview.last_lines(_LINES_FOR_CLAUDE)
        if lines != written:
            _write(file, f"{lines}\n")
            written = lines
        await asyncio.sleep(look_seconds)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    for part, mode in ((file.parent, 0o755), (file, 0o644)):
        part.chmod(mode)  # whatever the umask is

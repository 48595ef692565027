"""The program of the container: one session, from its environment to its exit status."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.agent_api_connection import SessionOverError
from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.observability import configure_logging
from cloud_agent_runner.session import run_session
from cloud_agent_runner.settings import Platform, Settings, SettingsError
from cloud_agent_runner.transcript.masking import SecretMask
from cloud_agent_runner.transcript.transcript import Transcript
from cloud_agent_runner.workspace.descendants import adopt_orphans, end_descendants

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_LAST_WORDS_SECONDS = 20
_TRANSCRIPT_SECONDS = 5


def supervise(environment: Mapping[str, str]) -> int:
    """Run one session, as the variables of the container say, and return the exit status.

    0 when the session is over or the task is stopped, 1 after a fault (reported to the Agent API), 2 when the
    variables are unusable.
    """
    try:
        settings = Settings.from_environment(environment)
        platform = Platform.from_environment(environment)
    except SettingsError as error:
        configure_logging("INFO", environment.get("SESSION_ID"))
        logger.error("settings unusable", extra={"reason": str(error)})  # noqa: TRY400 - the text is the whole story
        return 2
    configure_logging(settings.log_level, settings.session_id)
    adopt_orphans()
    try:
        return asyncio.run(_run(settings, platform))
    finally:
        end_descendants()


async def _run(settings: Settings, platform: Platform) -> int:
    """Run the session; a stop signal or the session's end is a good end, all else is reported as a fault."""
    this = asyncio.current_task()
    if this is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    async with aclosing(AgentApi(settings.agent_api_url, settings.session_token, settings.task_token)) as api:
        transcript = Transcript(api, SecretMask(lambda: api.handed_out | _model_key(settings)))
        try:
            try:
                await run_session(settings, platform, Path.home(), api, transcript)
            finally:
                await transcript.close(_TRANSCRIPT_SECONDS)
        except asyncio.CancelledError:
            logger.info("agent stopped by signal")
            return 0
        except Exception as error:  # noqa: BLE001 - whatever it is, the session must learn of it
            return await _end(_cause(error), api)
    return 0


def _model_key(settings: Settings) -> set[str]:
    return {settings.anthropic_api_key.get_secret_value()} if settings.anthropic_api_key else set()


async def _end(cause: BaseException, api: AgentApi) -> int:
    if isinstance(cause, SessionOverError):
        logger.info("session over", extra={"reason": str(cause)})
        return 0
    logger.error("session failed", exc_info=cause)
    if isinstance(cause, AgentError):
        name, message = type(cause).__name__, str(cause)
    else:
        name = "UnexpectedAgentError"
        message = f"The agent met a fault it does not know ({type(cause).__name__}). See the task's log."
    try:
        await api.failed(name, message, patience_seconds=_LAST_WORDS_SECONDS)
    except AgentError as error:
        logger.warning("failure not reported", extra={"reason": str(error)})
    return 1


def _cause(error: BaseException) -> BaseException:
    """Return the first single fault; that the session is over outweighs the faults this brought about."""
    faults = [error]
    while any(isinstance(fault, BaseExceptionGroup) for fault in faults):
        faults = [
            inner
            for fault in faults
            for inner in (fault.exceptions if isinstance(fault, BaseExceptionGroup) else [fault])
        ]
    return next((fault for fault in faults if isinstance(fault, SessionOverError)), faults[0])

"""The proxy as a program: from its environment to its exit code."""

from __future__ import annotations

import asyncio
import logging

from cloud_agent_proxy.haproxy_program import HaproxyNotFoundError, haproxy_program
from cloud_agent_proxy.json_logs import log_as_json
from cloud_agent_proxy.listen_address import MetadataUnavailableError, listen_address
from cloud_agent_proxy.proxy import run
from cloud_agent_proxy.settings import Platform, Settings, SettingsError

logger = logging.getLogger(__name__)


def main() -> int:
    """Return the process's exit code: 0 after a drain that was asked for, 1 for every other end."""
    log_as_json("INFO")
    try:
        settings, platform = Settings.from_environment(), Platform.from_environment()
        log_as_json(settings.log_level)
        address = listen_address(settings.metadata_uri)
        program = haproxy_program()
    except (SettingsError, MetadataUnavailableError, HaproxyNotFoundError) as error:
        logger.critical("proxy not started", extra={"reason": str(error)})
        return 1
    return asyncio.run(run(settings, platform, address, program))

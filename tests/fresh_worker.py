"""What a Lambda worker remembers between invocations, forgotten: each test is a worker of its own."""

from __future__ import annotations

from cloud_agent import settings
from cloud_agent.adapters.aws import clients
from cloud_agent.publisher import handler as publisher
from cloud_agent.webhook import once


def begin() -> None:
    """Read the environment, make clients and connect to GitHub anew, as the next cold start would."""
    settings._load.cache_clear()  # noqa: SLF001 - nothing but a test outlives a worker
    once._persistence.cache_clear()  # noqa: SLF001 - as above
    publisher._connect.cache_clear()  # noqa: SLF001 - as above
    for client in (clients.table, clients.dynamodb, clients.step_functions, clients.ecs, clients.secrets_manager):
        client.cache_clear()

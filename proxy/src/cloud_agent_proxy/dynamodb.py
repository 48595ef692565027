"""The way to DynamoDB: whose credentials, how long a call may take, and how often it is tried."""

from __future__ import annotations

import contextlib
import random
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
from aiodynamo.client import Client
from aiodynamo.credentials import TooManyRetries
from aiodynamo.errors import AIODynamoError
from aiodynamo.http.httpx import HTTPX
from aiodynamo.models import RetryConfig, RetryTimeout
from yarl import URL

from cloud_agent_proxy.authorities import authorities
from cloud_agent_proxy.aws_credentials import credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from cloud_agent_proxy.settings import Platform

FAILURES = (AIODynamoError, RetryTimeout, TooManyRetries, TimeoutError, httpx.HTTPError, LookupError, ValueError)
"""What a call may raise: DynamoDB's refusals, silence, broken connections, and answers that are none."""

_TIMEOUT_SECONDS = 2  # a visitor waits for these calls
_PAUSE_SECONDS = 0.1
_MOST_CONNECTIONS = 20


@contextlib.asynccontextmanager
async def dynamodb_client(
    platform: Platform, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Client]:
    """Open a client that tries a call twice, and waits 2 s at most for each of connection, sending and answer.

    Credentials are those of the environment, else those of the task's role. Proxies named by the environment are not
    used: the credentials come in clear text from an address of the task's own. A call raises one of FAILURES.

    Args:
        platform: Where DynamoDB is.
        transport: Takes the place of the network.
    """
    limits = httpx.Limits(max_connections=_MOST_CONNECTIONS)
    async with httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS,
        limits=limits,
        trust_env=False,
        verify=authorities(),
        transport=transport,
        event_hooks={"request": [_name_host_as_signed]},
    ) as http_client:
        yield Client(
            HTTPX(http_client),
            credentials(),
            platform.region,
            URL(str(platform.dynamodb_url)) if platform.dynamodb_url else None,
            numeric_type=Decimal,
            throttle_config=_TwoAttempts(),
        )


async def _name_host_as_signed(request: httpx.Request) -> None:
    """Leave out the port, as aiodynamo does where it signs; who checks the signature looks at what was sent."""
    request.headers["Host"] = request.url.host


class _TwoAttempts(RetryConfig):
    def delays(self) -> Iterator[float]:
        """Return the pauses after each attempt; the error is the client's sign to raise what the last one met."""
        yield random.uniform(0, _PAUSE_SECONDS)  # noqa: S311 - two proxies should not come back at the same moment
        yield 0
        raise RetryTimeout

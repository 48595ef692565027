"""One agent's connection to the Agent API: a call is repeated until it is answered or patience ends."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import TYPE_CHECKING

import httpx

from cloud_agent_runner.authorities import authorities
from cloud_agent_runner.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

logger = logging.getLogger(__name__)

_REQUEST_TIMEOUT_SECONDS = 15
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0


class SessionOverError(AgentError):
    """The Agent API answered 409: the session has ended, and so must its agent."""


class AgentApiRefusedError(AgentError):
    """The Agent API answered a 4xx other than 409: asking again would change nothing.

    `status` is that answer's, `reason` its message.
    """

    def __init__(self, call: str, status: int, reason: str) -> None:
        super().__init__(f"The Agent API refused {call} with {status}: {reason}")
        self.status = status
        self.reason = reason


class AgentApiUnavailableError(AgentError):
    """The Agent API gave no usable answer for longer than the agent is willing to wait."""


class AgentApiConnection:
    """Calls with the session's token.

    Every call is repeated with growing pauses, of random length, while the API is unreachable, overloaded or answers
    5xx, for `patience_seconds` unless the call says otherwise.

    Raises (every call):
        SessionOverError: on 409.
        AgentApiRefusedError: on any other 4xx, a rejected token (401) among them.
        AgentApiUnavailableError: when patience ends.
    """

    def __init__(
        self,
        url: str,
        session_token: SecretStr,
        *,
        patience_seconds: float,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._patience_seconds = patience_seconds
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {session_token.get_secret_value()}"},
            timeout=_REQUEST_TIMEOUT_SECONDS,
            verify=authorities(),
            transport=transport,
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        patience_seconds: float | None = None,
    ) -> httpx.Response:
        """Return the response to a request that was carried out, or 304."""
        patience = self._patience_seconds if patience_seconds is None else patience_seconds
        deadline = asyncio.get_running_loop().time() + patience
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                response = await self._http.request(method, path, json=body, headers=headers)
                if not _worth_repeating(response.status_code):
                    return _accepted(method, path, response)
                reason = f"HTTP {response.status_code}"
            except httpx.TransportError as error:
                reason = type(error).__name__
            if asyncio.get_running_loop().time() + pause > deadline:
                raise AgentApiUnavailableError(
                    f"The Agent API gave no answer to {method} {path} within {patience:.0f} s (last: {reason}). "
                    "See the log of the agent_api function."
                )
            logger.warning("agent API call will be repeated", extra={"path": path, "reason": reason})
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that agents do not come all at once
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _worth_repeating(status: int) -> bool:
    return status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS


def _accepted(method: str, path: str, response: httpx.Response) -> httpx.Response:
    if response.status_code == httpx.codes.CONFLICT:
        raise SessionOverError(_message(response))
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    raise AgentApiRefusedError(f"{method} {path}", response.status_code, _message(response))


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return "(no message)"

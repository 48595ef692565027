"""Git tokens for the session's repository: a new one for each use, revoked as soon as that use is over."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_agent_runner.agent_api_messages import GitToken

logger = logging.getLogger(__name__)

_REQUEST_TIMEOUT_SECONDS = 10
_LAST_REVOCATIONS_SECONDS = 5


class GitTokens:
    """The tokens that the Agent API hands out to this session, from `source`.

    GitHub revokes an installation token at the request of whoever holds it ("GitHub REST API: Revoke an installation
    access token"). The Agent API says where; a personal access token has no such address, so it's never revoked.
    A token that can't be revoked is logged and expires by itself, within an hour.
    """

    def __init__(self, source: Callable[[], Awaitable[GitToken]]) -> None:
        self._source = source
        self._in_use: list[GitToken] = []
        self._revocations: set[asyncio.Task[None]] = set()

    async def fresh(self) -> GitToken:
        """Return a new token, which works until `release`.

        Raises:
            AgentError: as AgentApi.git_token does.
        """
        token = await self._source()
        self._in_use.append(token)
        return token

    def release(self, token: GitToken) -> None:
        """Revoke a token that was handed out, in the background: what it was for is done."""
        if token not in self._in_use:
            return
        self._in_use.remove(token)
        if token.revocation_url is not None:
            task = asyncio.create_task(_revoke(token, token.revocation_url))
            self._revocations.add(task)
            task.add_done_callback(self._revocations.discard)

    async def aclose(self) -> None:
        """Revoke what is left, and wait for all revocations, but no longer than five seconds."""
        for token in [*self._in_use]:
            self.release(token)
        if self._revocations:
            await asyncio.wait(self._revocations, timeout=_LAST_REVOCATIONS_SECONDS)


async def _revoke(token: GitToken, url: str) -> None:
    headers = {"Authorization": f"Bearer {token.token.get_secret_value()}", "Accept": "application/vnd.github+json"}
    try:
        async with httpx.AsyncClient(timeout=_REQUEST_TIMEOUT_SECONDS) as github:
            response = await github.delete(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        logger.warning("git token not revoked", extra={"reason": type(error).__name__})
        return
    if not response.is_success:
        logger.warning("git token not revoked", extra={"reason": f"HTTP {response.status_code}"})

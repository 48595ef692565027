"""Git tokens for the session's repository: to read it, and a new one for each push, revoked as soon as that is over."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

import httpx

from cloud_agent_runner.authorities import authorities
from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.github_faults import is_denied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_agent_runner.agent_api_messages import GitToken

T = TypeVar("T")

logger = logging.getLogger(__name__)

_REQUEST_TIMEOUT_SECONDS = 10
_LAST_REVOCATIONS_SECONDS = 5


class GitTokens:
    """The tokens that the Agent API hands out to this session, from `reading` and `writing`.

    One that can only read is asked for whenever it's needed, never kept here, and other sessions of the repository may
    be using it, too. One that can write works for one push. GitHub revokes an installation token at the request of
    whoever holds it ("GitHub REST API: Revoke an installation access token"). The Agent API says where; a personal
    access token has no such address, so it's never revoked. A token that can't be revoked is logged and expires by
    itself, within an hour.
    """

    def __init__(self, reading: Callable[[], Awaitable[GitToken]], writing: Callable[[], Awaitable[GitToken]]) -> None:
        self._reading = reading
        self._writing = writing
        self._in_use: list[GitToken] = []
        self._revocations: set[asyncio.Task[None]] = set()

    async def to_read(self) -> GitToken:
        """Return a token that reads the repository, for five minutes at least.

        Raises:
            AgentError: as AgentApi.git_read_token does.
        """
        return await self._reading()

    async def reading(self, use: Callable[[GitToken], Awaitable[T]]) -> T:
        """Read the repository by git, and return what `use` does.

        Should GitHub refuse the token that others use, too, it's read by a new one: a session doesn't wait for an hour.

        Raises:
            AgentError: as AgentApi.git_token does, and whatever `use` raises.
        """
        try:
            return await use(await self._reading())
        except GitError as error:
            if not is_denied(error):
                raise
            logger.warning("git token refused", extra={"reason": str(error)})
        token = await self.to_push()
        try:
            return await use(token)
        finally:
            self.release(token)

    async def to_push(self) -> GitToken:
        """Return a new token, which can push until `release`.

        Raises:
            AgentError: as AgentApi.git_token does.
        """
        token = await self._writing()
        self._in_use.append(token)
        return token

    def release(self, token: GitToken) -> None:
        """Revoke a token for a push, in the background: that is done."""
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
        async with httpx.AsyncClient(timeout=_REQUEST_TIMEOUT_SECONDS, verify=authorities()) as github:
            response = await github.delete(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        logger.warning("git token not revoked", extra={"reason": type(error).__name__})
        return
    if not response.is_success:
        logger.warning("git token not revoked", extra={"reason": f"HTTP {response.status_code}"})

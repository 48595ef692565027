"""Who writes: their token, sealed in a cookie of the sign-in host, and what GitHub says they may do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_agent_proxy.sign_in import SIGN_IN_HOST
from cloud_agent_proxy.sign_in.github_sign_in import WRITER_COOKIE
from cloud_agent_proxy.sign_in.sealing import SealBrokenError, unseal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_agent_proxy.sign_in.github import GitHub, Rights

_PURPOSE = b"uat-writing\0"
_STANDING_SECONDS = 60
_MOST_STANDINGS = 1_000


@dataclass(frozen=True)
class Writer:
    """A visitor of the sign-in host who has signed in there."""

    token: str = field(repr=False)
    sealed: str = field(repr=False)
    """The cookie's value."""


@dataclass(frozen=True)
class Standing:
    """Who a writer is on GitHub, and what they may do in one repository."""

    login: str
    rights: Rights


class Writers:
    """Knows writers by their cookies, and asks GitHub about each at most once a minute for a repository."""

    def __init__(self, github: GitHub, keys: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._github = github
        self._keys = keys
        self._clock = clock
        self._standings: dict[tuple[str, str], tuple[float, Standing]] = {}

    def writer(self, cookies: Mapping[str, str]) -> Writer | None:
        """Return who shows these cookies, None who has to sign in."""
        sealed = cookies.get(WRITER_COOKIE, "")
        try:
            renewal = unseal(sealed, self._keys, SIGN_IN_HOST)
        except SealBrokenError:
            return None
        return Writer(renewal.token, sealed) if renewal.ends_at > self._clock() else None

    async def standing(self, writer: Writer, repository: str) -> Standing:
        """Return what GitHub says of the writer, a minute ago at most.

        Raises:
            UserTokenRefusedError: the token is good no longer.
            GitHubAwayError: GitHub doesn't respond.
        """
        asked = (hashlib.sha256(writer.token.encode()).hexdigest(), repository)
        known = self._standings.get(asked)
        if known is not None and known[0] > self._clock() - _STANDING_SECONDS:
            return known[1]
        login, rights = await asyncio.gather(
            self._github.login(writer.token), self._github.rights(writer.token, repository)
        )
        standing = Standing(login, rights)
        self._standings.pop(asked, None)
        self._standings[asked] = (self._clock(), standing)
        if len(self._standings) > _MOST_STANDINGS:
            del self._standings[next(iter(self._standings))]
        return standing

    def form_token(self, writer: Writer, session_id: str) -> str:
        """Return what a form of this writer's for this session has in it."""
        return _form_token(self._keys[0], writer, session_id)

    def is_form_token(self, token: str, writer: Writer, session_id: str) -> bool:
        """Tell whether a form with this token was made for this writer and this session."""
        return any(
            hmac.compare_digest(token.encode(), _form_token(key, writer, session_id).encode()) for key in self._keys
        )


def _form_token(key: str, writer: Writer, session_id: str) -> str:
    message = _PURPOSE + f"{writer.sealed}\0{session_id}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key.encode(), message, hashlib.sha256)).decode()

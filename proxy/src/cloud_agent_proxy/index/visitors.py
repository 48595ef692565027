"""Who looks at the index, and which repositories' sessions they may see."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cloud_agent_proxy.responses import origin_of
from cloud_agent_proxy.sign_in import ACCESS_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from ipaddress import IPv4Address

    from starlette.requests import Request

    from cloud_agent_proxy.sign_in.github import GitHub
    from cloud_agent_proxy.sign_in.github_sign_in import GitHubSignIn
    from cloud_agent_proxy.sign_in.results import Failed, Redirect
    from cloud_agent_proxy.writing.writers import Writers

MOST_QUESTIONS = 40  # to GitHub, for one page: each visitor's token has 5,000 an hour
_AT_ONCE = 8
_REFUSED_SECONDS = 60  # who is given access sees it soon
_MOST_ANSWERS = 10_000
CHOOSE_ACCOUNT = "account"


@dataclass(frozen=True)
class Seen:
    """The repositories whose sessions a visitor may see. GitHub wasn't asked about `unchecked` more of them yet."""

    repositories: frozenset[str]
    login: str = ""
    unchecked: int = 0


class Visitors(Protocol):
    """Knows who may see what."""

    def sign_in(self, request: Request, *, again: bool = False) -> Redirect | Failed | None:
        """Return where a visitor signs in who has to, `again` whoever they are; None for one who may look."""

    async def seen(self, request: Request, repositories: Sequence[str]) -> Seen:
        """Return which of the repositories' sessions a visitor may see who has signed in.

        Raises:
            UserTokenRefusedError: they have to sign in again.
            GitHubAwayError: GitHub doesn't respond.
        """


class Everybody:
    """On one machine alone: who reaches the proxy may see what there is."""

    def sign_in(self, request: Request, *, again: bool = False) -> None:
        """Ask nobody."""

    async def seen(self, _: Request, repositories: Sequence[str]) -> Seen:
        """Return all of it."""
        return Seen(frozenset(repositories))


def visitors_at(address: IPv4Address) -> Visitors | None:
    """Return who may see the index without signing in: who is on the proxy's own machine, whose sessions it has."""
    return Everybody() if address.is_loopback else None


class GitHubVisitors:
    """Asks GitHub, as the sessions' own check of access does: its word is taken for an hour, a no for a minute."""

    def __init__(
        self, sign_in: GitHubSignIn, github: GitHub, writers: Writers, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sign_in = sign_in
        self._github = github
        self._writers = writers
        self._clock = clock
        self._answers: dict[tuple[str, str], tuple[float, bool]] = {}
        self._logins: dict[str, tuple[float, str]] = {}

    def sign_in(self, request: Request, *, again: bool = False) -> Redirect | Failed | None:
        """Return where a visitor without a token of theirs gets one, or one who wants to be somebody else."""
        choose_account = CHOOSE_ACCOUNT in request.query_params
        if not again and not choose_account and self._writers.writer(request.cookies) is not None:
            return None
        return self._sign_in.begin_here(origin_of(request), request.cookies, choose_account=choose_account)

    async def seen(self, request: Request, repositories: Sequence[str]) -> Seen:
        """Return what GitHub lets them read of it.

        It's asked about 40 repositories at most: first about those that it wasn't asked about lately, last about those
        that it refused before.
        """
        writer = self._writers.writer(request.cookies)
        if writer is None:
            return Seen(frozenset())
        visitor = hashlib.sha256(writer.token.encode()).hexdigest()
        login = await self._login(visitor, writer.token)
        answers = {one: self._answers.get((visitor, one)) for one in repositories}
        to_ask = [one for one, answer in answers.items() if not self._is_fresh(answer)]
        to_ask.sort(key=lambda one: _refused_at(answers[one]))
        await self._ask(visitor, writer.token, to_ask[:MOST_QUESTIONS])
        skipped = to_ask[MOST_QUESTIONS:]
        readable = {one for one in repositories if self._answers.get((visitor, one), (0, False))[1]}
        unchecked = sum(not _refused_at(answers[one]) for one in skipped)
        return Seen(frozenset(readable.difference(skipped)), login, unchecked)

    async def _login(self, visitor: str, token: str) -> str:
        known = self._logins.get(visitor)
        if known is None or not self._is_fresh(known):
            known = self._logins[visitor] = self._clock(), await self._github.login(token)
            _forget_oldest(self._logins)
        return known[1]

    async def _ask(self, visitor: str, token: str, repositories: Collection[str]) -> None:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def ask(repository: str) -> None:
            async with turns:
                may_read = await self._github.may_read(token, repository)
            self._answers[visitor, repository] = self._clock(), may_read

        await asyncio.gather(*map(ask, repositories))
        _forget_oldest(self._answers)

    def _is_fresh(self, answer: tuple[float, str | bool] | None) -> bool:
        if answer is None:
            return False
        asked_at, said = answer
        return asked_at > self._clock() - (ACCESS_SECONDS if said else _REFUSED_SECONDS)


def _refused_at(answer: tuple[float, bool] | None) -> float:
    """Return when a visitor was refused a repository; 0 where they weren't."""
    return answer[0] if answer is not None and not answer[1] else 0


def _forget_oldest(answers: dict[Any, Any]) -> None:
    while len(answers) > _MOST_ANSWERS:
        del answers[next(iter(answers))]

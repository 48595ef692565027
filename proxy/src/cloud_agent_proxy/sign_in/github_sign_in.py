"""The steps of the sign-in, from the first redirect to GitHub to the last renewal of the access it gave."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from cloud_agent_proxy.origins import origin_below
from cloud_agent_proxy.sessions_table import TableUnavailableError
from cloud_agent_proxy.sign_in import ACCESS_SECONDS, SIGN_IN_HOST
from cloud_agent_proxy.sign_in.github import (
    ClientRefusedError,
    CodeRefusedError,
    GitHub,
    GitHubAwayError,
    NotConfiguredError,
    UserToken,
    UserTokenRefusedError,
)
from cloud_agent_proxy.sign_in.results import (
    Cause,
    Cookie,
    Failed,
    Granted,
    Redirect,
    Refused,
    Renewed,
    SignedIn,
    SignInNeeded,
)
from cloud_agent_proxy.sign_in.sealing import Renewal, SealBrokenError, unseal
from cloud_agent_proxy.sign_in.state import (
    INDEX_PAGE,
    STATE_SECONDS,
    WRITING_PAGE,
    State,
    StateRefusedError,
    challenge_of,
    nonce_of,
    read_state,
    return_path,
)

logger = logging.getLogger(__name__)

NONCE_COOKIE = "__Host-uat-sign-in"
RENEWAL_COOKIE = "__Host-uat-renewal"
WRITER_COOKIE = "__Host-uat-writer"

GRACE_SECONDS = 300
"""For how long the last word is taken while GitHub is away: a short outage signs nobody out."""
_RENEWAL_SECONDS = 86_400
_FINISH_SECONDS = 8  # three questions to GitHub and one to the table; HAProxy waits two seconds longer
_RENEW_SECONDS = 3  # a request waits for it; resolve.lua does so a second longer
_SHARED_SECONDS = 5
NO_REPOSITORY = "-/-"  # asked for in place of a session's that does not exist, so that the two take the same way


class _DeniedError(Exception):
    """The visitor does not let the App know who they are; `return_to` is what they asked for."""

    def __init__(self, return_to: str) -> None:
        super().__init__("the visitor has not authorized the App")
        self.return_to = return_to


_CAUSES: dict[type[Exception], Cause] = {
    StateRefusedError: Cause.EXPIRED,
    CodeRefusedError: Cause.EXPIRED,
    UserTokenRefusedError: Cause.EXPIRED,
    _DeniedError: Cause.DENIED,
    ClientRefusedError: Cause.MISCONFIGURED,
    NotConfiguredError: Cause.NOT_CONFIGURED,
    GitHubAwayError: Cause.GITHUB_AWAY,
    TimeoutError: Cause.GITHUB_AWAY,
    TableUnavailableError: Cause.SESSIONS_AWAY,
}
RepositoryOf = Callable[[str], Awaitable[str | None]]
"""Return the repository (owner/name) of a session, None when there is no such session; raise TableUnavailableError."""


class GitHubSignIn:
    """Lets those in whom GitHub lets read a session's repository.

    `keys` are the access keys: the first signs and seals, each is accepted. An origin (`https://host[:port]`) is that
    by which the visitor reached us; only its scheme and port are believed.
    """

    def __init__(
        self,
        github: GitHub,
        uat_domain: str,
        keys: Sequence[str],
        repository_of: RepositoryOf,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._github = github
        self._uat_domain = uat_domain
        self._keys = keys
        self._repository_of = repository_of
        self._clock = clock
        self._renewals: dict[tuple[str, str], asyncio.Task[Renewed | SignInNeeded | Failed]] = {}

    def begin(
        self,
        session_id: str,
        origin: str,
        return_to: str,
        cookies: Mapping[str, str],
        *,
        choose_account: bool = False,
    ) -> Redirect:
        """Send a visitor of a session to GitHub; `return_to` is the path and query at which they asked for it.

        Raises:
            NotConfiguredError: there is no App to sign in with.
        """
        return self._begin(session_id, origin, return_path(return_to), cookies, choose_account=choose_account)

    def begin_here(
        self, origin: str, cookies: Mapping[str, str], session_id: str = "", *, choose_account: bool = False
    ) -> Redirect | Failed:
        """Send a visitor of the sign-in host to GitHub, who wants to write to a session, or see the index."""
        page = WRITING_PAGE if session_id else INDEX_PAGE
        try:
            return self._begin(session_id, origin, page, cookies, choose_account=choose_account)
        except NotConfiguredError as error:
            return _failed(session_id, error)

    def _begin(
        self, session_id: str, origin: str, return_to: str, cookies: Mapping[str, str], *, choose_account: bool
    ) -> Redirect:
        nonce = nonce_of(cookies.get(NONCE_COOKIE, ""))
        state = State(session_id, return_to, challenge_of(nonce))
        url = self._github.authorize_url(
            self._callback(origin),
            state.signed(self._keys, self._clock()),
            state.challenge,
            choose_account=choose_account,
        )
        return Redirect(url, Cookie(NONCE_COOKIE, nonce, STATE_SECONDS))

    async def finish_here(
        self, origin: str, query: Mapping[str, str], cookies: Mapping[str, str]
    ) -> SignedIn | Failed | None:
        """Keep the token of one who came back for a page of the sign-in host; None for one who came for a session.

        The token is for every session: what its user may do with one is asked each time.
        """
        session_id, return_to = "", "/"
        try:
            state = read_state(query.get("state", ""), self._keys)
            if state.return_to not in {INDEX_PAGE, WRITING_PAGE}:
                return None
            if state.return_to == WRITING_PAGE:
                session_id, return_to = state.session_id, f"/sessions/{state.session_id}"
            _, nonce = self._trusted(state.session_id, query, cookies)
            async with asyncio.timeout(_FINISH_SECONDS):
                token = await self._github.exchange(query.get("code", ""), nonce, self._callback(origin))
        except StateRefusedError:
            return None  # whoever forwards it says why, or the session's own host does
        except tuple(_CAUSES) as error:
            return replace(_failed(session_id, error), return_to=return_to)
        renewal, lives = self._renewal_of(token)
        return SignedIn(return_to, Cookie(WRITER_COOKIE, renewal.sealed(self._keys, SIGN_IN_HOST), lives))

    def forward(self, origin: str, query: Mapping[str, str]) -> Redirect | Failed:
        """Send a visitor who comes back from GitHub to the sign-in host on to the session that the state names.

        The state alone says where to, and only we make one: nobody is sent to a place of another's choice.
        """
        try:
            state = read_state(query.get("state", ""), self._keys)
        except StateRefusedError as error:
            logger.info("sign-in not forwarded", extra={"reason": str(error)})
            return Failed(Cause.EXPIRED)
        if state.return_to == INDEX_PAGE:  # begun in another browser: there's no session to go on to
            return Failed(Cause.EXPIRED)
        passed_on = {name: query[name] for name in ("code", "error", "state") if name in query}
        return Redirect(f"{self.origin_of(state.session_id, origin)}/.uat/callback?{urlencode(passed_on)}")

    async def finish(
        self, session_id: str, origin: str, query: Mapping[str, str], cookies: Mapping[str, str]
    ) -> Granted | Refused | Failed:
        """Ask GitHub about a visitor who is back on the session's host, `query` being what GitHub has sent along.

        The nonce cookie is not taken away: another tab may be on its way. A code is good once, whatever we keep.
        """
        try:
            state, nonce = self._trusted(session_id, query, cookies)
            async with asyncio.timeout(_FINISH_SECONDS):
                return await self._decide(state, query.get("code", ""), nonce, origin)
        except tuple(_CAUSES) as error:
            return _failed(session_id, error)

    async def renew(self, session_id: str, sealed: str) -> Renewed | SignInNeeded | Failed:
        """Ask GitHub again about one who shows the renewal cookie; who show it within 5 s share the answer.

        So a page's many requests are one question, and a page that keeps asking for one who is refused few.
        While GitHub (or the sessions table) is away, the visitor stays in for five minutes at a time, and no longer
        than five minutes after the hour for which GitHub's last word was taken.
        """
        asked = (session_id, sealed)
        renewing = self._renewals.get(asked)
        if renewing is None:
            try:
                renewal = unseal(sealed, self._keys, session_id)
            except SealBrokenError as error:
                logger.info("access not renewed", extra={"session_id": session_id, "reason": str(error)})
                return SignInNeeded()
            renewing = asyncio.create_task(self._renew(session_id, renewal))
            self._renewals[asked] = renewing
            renewing.add_done_callback(lambda _: self._forget_later(asked))
        return await asyncio.shield(renewing)

    def _forget_later(self, asked: tuple[str, str]) -> None:
        asyncio.get_running_loop().call_later(_SHARED_SECONDS, self._renewals.pop, asked)

    def _trusted(self, session_id: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> tuple[State, str]:
        """Return state and nonce of a sign-in that this browser began for this session, and GitHub went on with."""
        state = read_state(query.get("state", ""), self._keys)
        if state.session_id != session_id:
            raise StateRefusedError("the state is another session's")
        nonce = cookies.get(NONCE_COOKIE, "")
        if not state.is_answered_by(nonce):
            raise StateRefusedError("the state is another browser's")
        match query.get("error"):
            case None:
                return state, nonce
            case "access_denied":
                raise _DeniedError(state.return_to)
            case error:
                raise ClientRefusedError(error)

    async def _decide(self, state: State, code: str, nonce: str, origin: str) -> Granted | Refused:
        token = await self._github.exchange(code, nonce, self._callback(origin))
        login = await self._github.login(token.value)
        repository = await self._repository_of(state.session_id)
        if not await self._github.may_read(token.value, repository or NO_REPOSITORY):
            logger.info("sign-in refused", extra={"session_id": state.session_id, "login": login})
            return Refused(login, state.return_to)
        logger.info("signed in", extra={"session_id": state.session_id, "login": login})
        renewal, lives = self._renewal_of(token)
        cookie = self._renewal_cookie(renewal, state.session_id)
        return Granted(login, state.return_to, min(ACCESS_SECONDS, lives), cookie)

    async def _renew(self, session_id: str, renewal: Renewal) -> Renewed | SignInNeeded | Failed:
        if renewal.ends_at <= self._clock():
            return SignInNeeded()
        try:
            async with asyncio.timeout(_RENEW_SECONDS):
                repository = await self._repository_of(session_id)
                may_read = await self._github.may_read(renewal.token, repository or NO_REPOSITORY)
        except UserTokenRefusedError:
            may_read = False
        except (GitHubAwayError, TableUnavailableError, TimeoutError) as error:
            return self._within_grace(session_id, renewal, error)
        if not may_read:
            logger.info("access withdrawn", extra={"session_id": session_id})
            return SignInNeeded()
        now = int(self._clock())
        renewed = Renewal(renewal.token, renewal.ends_at, asked_at=now)
        return Renewed(min(ACCESS_SECONDS, renewal.ends_at - now), self._renewal_cookie(renewed, session_id))

    def _within_grace(self, session_id: str, renewal: Renewal, error: Exception) -> Renewed | Failed:
        failed = _failed(session_id, error)
        ends_at = min(renewal.asked_at + ACCESS_SECONDS + GRACE_SECONDS, renewal.ends_at)
        left = ends_at - int(self._clock())
        return Renewed(min(GRACE_SECONDS, left), None) if left > 0 else failed

    def _renewal_of(self, token: UserToken) -> tuple[Renewal, int]:
        """Return what is kept of a token that GitHub has just given, and for how many seconds."""
        now = int(self._clock())
        lives = min(_RENEWAL_SECONDS, token.lives_seconds or _RENEWAL_SECONDS)
        return Renewal(token.value, ends_at=now + lives, asked_at=now), lives

    def _renewal_cookie(self, renewal: Renewal, session_id: str) -> Cookie:
        return Cookie(RENEWAL_COOKIE, renewal.sealed(self._keys, session_id), renewal.ends_at - int(self._clock()))

    def _callback(self, origin: str) -> str:
        return f"{self.origin_of(SIGN_IN_HOST, origin)}/callback"

    def writing_url(self, session_id: str, origin: str) -> str:
        """Return where visitors write to a session."""
        return f"{self.origin_of(SIGN_IN_HOST, origin)}/sessions/{session_id}"

    def origin_of(self, name: str, origin: str) -> str:
        """Return the origin of a host below the UAT domain, for who reached us by `origin`."""
        return origin_below(self._uat_domain, name, origin)


def _failed(session_id: str, error: Exception) -> Failed:
    cause = _CAUSES[type(error)]
    level = logging.INFO if cause in {Cause.EXPIRED, Cause.DENIED} else logging.ERROR
    reason = str(error) or repr(error)
    logger.log(level, "sign-in failed", extra={"session_id": session_id, "cause": cause, "reason": reason[:200]})
    return Failed(cause, error.return_to if isinstance(error, _DeniedError) else "")

"""Mode `github`: who signs in with GitHub and may read the session's repository may see it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.access.gate import ACCESS_COOKIE, AccessUnknownError, Grant, access_cookie
from cloud_agent_proxy.access.tokens import TokenRefusedError, Tokens
from cloud_agent_proxy.sign_in import ACCESS_SECONDS
from cloud_agent_proxy.sign_in.github_sign_in import RENEWAL_COOKIE, GitHubSignIn
from cloud_agent_proxy.sign_in.results import Cookie, Failed, Renewed, SignInNeeded

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)


class GitHubGate:
    """Takes GitHub's word for an hour, and then asks again without the visitor noticing."""

    signed_out = access_pages.sign_in_needed()

    def __init__(self, tokens: Tokens, sign_in: GitHubSignIn) -> None:
        self._tokens = tokens
        self._sign_in = sign_in

    async def admit(self, session_id: str, cookies: Mapping[str, str]) -> Grant | None:
        """Return what the access cookie entitles to, else what the renewal cookie does, on GitHub's word.

        Raises:
            AccessUnknownError: GitHub was to be asked and did not respond.
        """
        token = cookies.get(ACCESS_COOKIE, "")
        try:
            # In mode `link` cookies are signed for a day. After a change of the mode they open nothing.
            return Grant(token, self._tokens.verify_access(token, session_id, ACCESS_SECONDS))
        except TokenRefusedError as error:
            logger.debug("cookie refused", extra={"session_id": session_id, "reason": str(error)})
        sealed = cookies.get(RENEWAL_COOKIE)
        if not sealed:
            return None
        match await self._sign_in.renew(session_id, sealed):
            case Renewed() as renewed:
                return self.grant(session_id, renewed.access_seconds, renewed.renewal)
            case SignInNeeded():
                return None
            case Failed() as failed:
                raise AccessUnknownError(failed.cause)

    async def enter(self, session_id: str, token: str) -> tuple[str, ...] | None:  # noqa: ARG002 - the gate's form
        """Let everybody pass, without a cookie: links of mode `link` lead to the sign-in, if it is needed."""
        return ()

    def grant(self, session_id: str, seconds: int, renewal: Cookie | None) -> Grant:
        """Let one in for so long, on GitHub's word just given."""
        expires_at = int(time.time()) + seconds
        token = self._tokens.sign_access(session_id, expires_at)
        cookies = (access_cookie(token, seconds), *([renewal.header] if renewal else []))
        return Grant(token, expires_at, cookies)

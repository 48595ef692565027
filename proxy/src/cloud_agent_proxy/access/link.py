"""Mode `link`: who has the session's entry link, from its comment on the pull request, may see it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from cloud_agent_proxy.access import pages as access_pages
from cloud_agent_proxy.access.gate import ACCESS_COOKIE, Grant, access_cookie
from cloud_agent_proxy.access.tokens import TokenRefusedError, Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_MOST_SECONDS = 24 * 60 * 60


class LinkGate:
    """Changes entry links into cookies of 24 hours at most, which end no later than their link does."""

    signed_out = access_pages.signed_out()

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def admit(self, session_id: str, cookies: Mapping[str, str]) -> Grant | None:
        """Return what the access cookie entitles to, None when there is none or it is no good here."""
        token = cookies.get(ACCESS_COOKIE, "")
        try:
            return Grant(token, self._tokens.verify_access(token, session_id))
        except TokenRefusedError as error:
            logger.debug("cookie refused", extra={"session_id": session_id, "reason": str(error)})
            return None

    async def enter(self, session_id: str, token: str) -> tuple[str, ...] | None:
        """Return an access cookie for the link's holder; a link can be followed again and again."""
        try:
            link_expires_at = self._tokens.verify_entry(token, session_id)
        except TokenRefusedError as error:
            logger.info("entry link refused", extra={"session_id": session_id, "reason": str(error)})
            return None
        now = int(time.time())
        expires_at = min(now + _MOST_SECONDS, link_expires_at)
        return (access_cookie(self._tokens.sign_access(session_id, expires_at), expires_at - now),)

"""Cookies that were found good, so that HAProxy lets their holders pass without asking again."""

from __future__ import annotations

import asyncio
import logging
import re

from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError

logger = logging.getLogger(__name__)

MOST_ADMISSIONS = 20_000
_MOST_OF_ONE_SESSION = 1_000
# What a JSON Web Token is written in (RFC 7515, 2). Verifying it ignores other characters, HAProxy's socket does not.
_TOKEN = re.compile(r"[A-Za-z0-9_.-]+")


class Admissions:
    """The map of HAProxy that holds them, kept within bounds: the oldest make room.

    A cookie that is forgotten, or was learnt by a proxy before this one, costs its holder one question to the
    control plane; so forgetting is always safe.
    """

    def __init__(
        self, haproxy: RuntimeApi, *, most: int = MOST_ADMISSIONS, most_of_one_session: int = _MOST_OF_ONE_SESSION
    ) -> None:
        self._haproxy = haproxy
        self._most = most
        self._most_of_one_session = most_of_one_session
        self._changing = asyncio.Lock()
        self._session_of: dict[str, str] = {}
        """Key -> session id, the oldest first."""
        self._keys_of: dict[str, dict[str, None]] = {}
        """Session id -> its keys, the oldest first."""

    async def remember(self, session_id: str, token: str, expires_at: int) -> None:
        """Let the holder of this cookie pass until `expires_at`; when HAProxy cannot be told, that is logged.

        A token with characters that no JSON Web Token has is not remembered.
        """
        if not _TOKEN.fullmatch(token):
            return
        key = key_of(session_id, token)
        async with self._changing:
            if key in self._session_of:
                return
            try:
                await self._make_room(session_id)
                await self._haproxy.add_admission(key, token, expires_at)
            except RuntimeApiError as error:
                _log(session_id, error)
                return
            self._session_of[key] = session_id
            self._keys_of.setdefault(session_id, {})[key] = None

    async def forget_session(self, session_id: str) -> None:
        """Forget every cookie for this session; when HAProxy cannot be told, that is logged."""
        async with self._changing:
            try:
                await self._forget(list(self._keys_of.get(session_id, {})))
            except RuntimeApiError as error:
                _log(session_id, error)

    async def _make_room(self, session_id: str) -> None:
        keys = self._keys_of.get(session_id, {})
        if len(keys) >= self._most_of_one_session:
            await self._forget([next(iter(keys))])
        elif len(self._session_of) >= self._most:
            await self._forget([next(iter(self._session_of))])

    async def _forget(self, keys: list[str]) -> None:
        await self._haproxy.remove_admissions(keys)
        for key in keys:
            session_id = self._session_of.pop(key)
            del self._keys_of[session_id][key]
            if not self._keys_of[session_id]:
                del self._keys_of[session_id]


def key_of(session_id: str, token: str) -> str:
    """Return the key by which haproxy.cfg finds the cookie: 48 bits of its signature, which prove nothing.

    HAProxy compares the whole cookie then. Of two with the same key, the later is asked about each time.
    """
    return f"{token.rpartition('.')[2][:8]}@{session_id}"


def _log(session_id: str, error: RuntimeApiError) -> None:
    logger.error("admissions not changed", extra={"session_id": session_id, "reason": str(error)})

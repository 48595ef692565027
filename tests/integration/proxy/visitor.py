"""What a visitor needs to be shown a session: an entry link, and the cookie it is changed for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

import httpx
import jwt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KEY, OTHER_KEY = "k" * 32, "o" * 32
ACCESS_COOKIE = "__Host-uat-access"
GATED = {"UAT_ACCESS": "link", "UAT_ACCESS_KEYS": json.dumps({"signing_key": KEY, "verifying_key": ""})}
NAVIGATION = {
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "none",
    "Accept": "text/html",
}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "a" * 22 + "==",
}


def entry_token(session_id: str, key: str = KEY, seconds: int = 7 * 24 * 60 * 60, **claims: object) -> str:
    return _token("uat-entry", session_id, key, seconds, claims)


def access_token(session_id: str, key: str = KEY, seconds: int = 60 * 60, **claims: object) -> str:
    return _token("uat-access", session_id, key, seconds, claims)


def access(session_id: str, key: str = KEY, seconds: int = 60 * 60) -> dict[str, str]:
    return {"Cookie": f"{ACCESS_COOKIE}={access_token(session_id, key, seconds)}"}


async def until_answered(status: int, ask: Callable[[], Awaitable[httpx.Response]], seconds: float) -> httpx.Response:
    """Ask until the answer has this status; return it. Meant for when the proxy must learn of a change in the table.

    A request that is under way at the moment it does is cut, as every stream of the session is.

    Raises:
        TimeoutError: No answer had that status in time.
    """
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(httpx.RemoteProtocolError):
                if (answer := await ask()).status_code == status:
                    return answer
            await asyncio.sleep(0.02)


def _token(audience: str, session_id: str, key: str, seconds: int, claims: dict[str, object]) -> str:
    now = int(time.time())
    return jwt.encode({"aud": audience, "sub": session_id, "iat": now, "exp": now + seconds, **claims}, key, "HS256")

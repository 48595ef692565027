"""The cookie by which the system visits a session of its own, as a visitor who was let in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import jwt

from cloud_agent.domain.session.entry_link import ALGORITHM

AUDIENCE: Final = "uat-access"
NAME: Final = "__Host-uat-access"
VALID: Final = timedelta(minutes=1)  # a visit takes seconds


def access_cookie(session_id: str, signing_key: str, now: datetime) -> str:
    """Return the value of a `Cookie` header that lets into this session for a minute, and into no other."""
    claims = {
        "aud": AUDIENCE,
        "sub": session_id,
        "iat": int(now.timestamp()),
        "exp": int((now + VALID).timestamp()),
    }
    return f"{NAME}={jwt.encode(claims, signing_key, ALGORITHM)}"

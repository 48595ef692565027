"""The agent's bearer token: `<session id>.<secret>`. The row holds only its hash."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

_FORM = re.compile(r"^Bearer (([0-9a-f]{8})\.[A-Za-z0-9-]{16,128})$")


def session_id_of(authorization: str | None) -> str | None:
    """Return the session that an Authorization header claims to speak for, if it has the form of a session token."""
    match = _FORM.fullmatch(authorization or "")
    return match[2] if match else None


def opens(authorization: str, session: Session) -> bool:
    """Whether the header carries this session's own token; the comparison takes constant time."""
    match = _FORM.fullmatch(authorization)
    token = match[1] if match else ""
    return hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), session.token_hash)

"""The link by which a person enters a session: whoever has it may see the session, and no other."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import jwt

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

ENTRY_PATH = "/.uat/enter"  # of every session's host; the proxy answers it
PAGE_PATH = "/.uat/"  # of every session's host; the session's own page, beside its preview
AUDIENCE = "uat-entry"
ALGORITHM = "HS256"
VALID = timedelta(days=7)  # from the session's creation; longer than any session may be queued and run


class UatAccess(StrEnum):
    """Who may see a session: who has its link, who may read its repository, or anybody."""

    LINK = "link"
    GITHUB = "github"
    PUBLIC = "public"


def entry_link(url: str, session: Session, signing_key: str) -> str:
    """Return the session's `url` with a token that lets in: always the same for the same session and key.

    A comment or Deployment that is written twice therefore says the same twice.
    """
    created_at = datetime.fromisoformat(session.created_at)
    claims = {
        "aud": AUDIENCE,
        "sub": session.session_id,
        "iat": int(created_at.timestamp()),
        "exp": int((created_at + VALID).timestamp()),
    }
    return f"{url}{ENTRY_PATH}?token={jwt.encode(claims, signing_key, ALGORITHM)}"


def session_page(url: str, link: str | None) -> str:
    """Return where the own page of the session at `url` is, by way of its entry link if it has one."""
    return f"{link}&{urlencode({'return_to': PAGE_PATH}, safe='/')}" if link else f"{url}{PAGE_PATH}"

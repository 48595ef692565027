"""What the proxy asks of a way to decide who may see a session; link.py, github.py and public.py are three."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_proxy.pages import Page

ACCESS_COOKIE = "__Host-uat-access"


@dataclass(frozen=True)
class Grant:
    """A visitor may see one session for a while."""

    token: str
    """The value of the access cookie that stands for it from now on."""
    expires_at: int
    """Until when, in seconds since the epoch."""
    cookies: tuple[str, ...] = ()
    """What the visitor's browser is to keep, each as the value of a Set-Cookie header."""


class AccessUnknownError(Exception):
    """Whether the visitor may see the session cannot be found out at the moment."""


class Gate(Protocol):
    """Decides by what the visitor shows alone, before anything is said about a session, or that there is one."""

    signed_out: Page
    """What is said to one whose cookies entitle to nothing; the same for every session."""

    async def admit(self, session_id: str, cookies: Mapping[str, str]) -> Grant | None:
        """Return what these cookies entitle their holder to, None when that is nothing.

        Raises:
            AccessUnknownError: that could not be found out.
        """

    async def enter(self, session_id: str, token: str) -> tuple[str, ...] | None:
        """Return the cookies for who follows an entry link, None when the link is no good here."""


def access_cookie(token: str, seconds: int) -> str:
    """Return the Set-Cookie header by which a browser holds `token` for this host alone."""
    return f"{ACCESS_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}"

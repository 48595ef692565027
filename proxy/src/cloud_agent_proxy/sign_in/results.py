"""What comes of a step of the sign-in: plain values, for whoever answers the visitor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Cookie:
    """A cookie of the host it is set on and of no other, which no script reads."""

    name: str
    value: str
    max_age_seconds: int

    @property
    def header(self) -> str:
        """The value of a Set-Cookie header."""
        attributes = f"Path=/; Max-Age={self.max_age_seconds}; Secure; HttpOnly; SameSite=Lax"
        return f"{self.name}={self.value}; {attributes}"


@dataclass(frozen=True)
class Redirect:
    """The visitor goes on elsewhere."""

    url: str
    cookie: Cookie | None = None


@dataclass(frozen=True)
class Granted:
    """GitHub says that the visitor may read the session's repository."""

    login: str
    return_to: str
    """Path and query on the session's host."""
    access_seconds: int
    """For how long the visitor may be let in on GitHub's word."""
    renewal: Cookie


@dataclass(frozen=True)
class Refused:
    """GitHub says that the visitor may not, or there is no such session: it is not said which."""

    login: str
    return_to: str
    """Path and query on the session's host that were asked for."""


@dataclass(frozen=True)
class SignedIn:
    """The visitor has signed in on the sign-in host, for a page that's there."""

    return_to: str
    """Its path."""
    cookie: Cookie


class Cause(StrEnum):
    """Why a sign-in came to nothing."""

    EXPIRED = "expired"
    """Begun more than ten minutes ago, in another browser or by nobody, or finished already."""
    DENIED = "denied"
    """The visitor did not let the App know who they are."""
    GITHUB_AWAY = "github_away"
    """GitHub cannot be reached, is at fault or wants fewer requests."""
    SESSIONS_AWAY = "sessions_away"
    """The session's repository cannot be looked up."""
    MISCONFIGURED = "misconfigured"
    """GitHub does not know this App by these credentials or at this address; the log has GitHub's word for it."""
    NOT_CONFIGURED = "not_configured"
    """Nobody has given this proxy the App's credentials yet."""


@dataclass(frozen=True)
class Failed:
    """Nothing is known of the visitor, and nothing granted."""

    cause: Cause
    return_to: str = ""
    """What was asked for on the host that the visitor is at, where they are the one who said no: path and query."""


@dataclass(frozen=True)
class Renewed:
    """The visitor may be let in for longer."""

    access_seconds: int
    renewal: Cookie | None
    """In place of the one that was shown; None: that one stays."""


@dataclass(frozen=True)
class SignInNeeded:
    """The visitor has to sign in again, which tells them more if they may not come in any longer."""

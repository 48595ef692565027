"""The state that travels with a sign-in through the visitor's browser, and the nonce that binds it to that browser."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from collections.abc import Sequence

STATE_SECONDS = 600
"""As long as GitHub's own code is good."""
OWN_PAGE = "/.uat/"
"""Where a session's own page is."""
INDEX_PAGE = "/.uat/index"
"""Stands for the index on the sign-in host, which is no session's."""
WRITING_PAGE = "/.uat/write"
"""Stands for the page on the sign-in host where a visitor writes to a session; no visitor can name it."""
_AUDIENCE = "uat-sign-in"
_ALGORITHM = "HS256"
_LONGEST_PATH = 2_000  # it travels in an address
# 32 random bytes in base64url, as RFC 7636, section 4.1, suggests for a verifier.
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


class StateRefusedError(Exception):
    """The state is not one of ours, or is ten minutes old."""


@dataclass(frozen=True)
class State:
    """Which session a sign-in is for, where on it the visitor was, and the challenge that their nonce answers."""

    session_id: str
    return_to: str
    challenge: str

    def is_answered_by(self, nonce: str) -> bool:
        """Tell, in constant time, whether this is the nonce of the browser in which the sign-in began."""
        return hmac.compare_digest(challenge_of(nonce).encode(), self.challenge.encode())

    def signed(self, keys: Sequence[str], now: float) -> str:
        """Return the state as a JWT that is good for ten minutes from `now`, signed with the first of the keys."""
        claims = {
            "aud": _AUDIENCE,
            "sub": self.session_id,
            "iat": int(now),
            "exp": int(now) + STATE_SECONDS,
            "return_to": self.return_to,
            "challenge": self.challenge,
        }
        return jwt.encode(claims, keys[0], algorithm=_ALGORITHM)


def read_state(text: str, keys: Sequence[str]) -> State:
    """Return the state that one of the keys has signed.

    Raises:
        StateRefusedError: none has, or it is too old.
    """
    for key in keys:
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # The clock of the proxy that signed may be ahead of ours.
                options={"require": ["exp", "sub", "return_to", "challenge"], "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise StateRefusedError(str(error)) from error
        return State(claims["sub"], claims["return_to"], claims["challenge"])
    raise StateRefusedError("the state is signed with no key of ours")


def nonce_of(cookie: str) -> str:
    """Return the browser's nonce, or a new one if it has none yet.

    Two tabs that sign in at the same time share theirs: the second must not undo the first.
    """
    return cookie if _NONCE.fullmatch(cookie) else secrets.token_urlsafe(32)


def challenge_of(nonce: str) -> str:
    """Return what may be known of a nonce. It is PKCE's challenge by S256 too, and the nonce PKCE's verifier.

    So a code is worth nothing without the cookie of the browser in which the sign-in began.
    """
    return base64.urlsafe_b64encode(hashlib.sha256(nonce.encode()).digest()).rstrip(b"=").decode()


def return_path(text: str) -> str:
    """Return a path (and query) of this host to which a visitor may be sent back; any other text leads to `/`.

    Our own paths below /.uat/ are none but that of the session's page, for the way back must not be a way round.
    """
    if text == OWN_PAGE:
        return text
    is_path = text.startswith("/") and not text.startswith(("//", "/\\", "/.uat/"))
    is_plain = text.isascii() and text.isprintable() and " " not in text
    return text if is_path and is_plain and len(text) <= _LONGEST_PATH else "/"

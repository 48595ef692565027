"""Entry links' tokens and access cookies' values: JSON Web Tokens of one algorithm (HS256), each for one session."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from cloud_agent_proxy.access.keys import AccessKeys

_ENTRY, _ACCESS = "uat-entry", "uat-access"
_ALGORITHM = "HS256"


class TokenRefusedError(Exception):
    """The token is not one of ours, is over, or is another session's or another purpose's."""


class Tokens:
    """Signs and verifies; a time is in whole seconds since the epoch, as JWTs have it."""

    def __init__(self, keys: AccessKeys) -> None:
        self._keys = keys

    def verify_entry(self, token: str, session_id: str) -> int:
        """Return when the entry link's token is over.

        Raises:
            TokenRefusedError: it lets nobody into this session now.
        """
        return self._verify(token, session_id, _ENTRY)

    def verify_access(self, token: str, session_id: str, longest_seconds: int | None = None) -> int:
        """Return when the access cookie's token is over.

        Raises:
            TokenRefusedError: it lets nobody into this session now, or was signed for longer than `longest_seconds`.
        """
        return self._verify(token, session_id, _ACCESS, longest_seconds)

    def sign_access(self, session_id: str, expires_at: int) -> str:
        """Return the value of an access cookie for this session."""
        claims = {"aud": _ACCESS, "sub": session_id, "iat": int(time.time()), "exp": expires_at}
        return jwt.encode(claims, self._keys.signing_key.get_secret_value(), _ALGORITHM)

    def _verify(self, token: str, session_id: str, purpose: str, longest_seconds: int | None = None) -> int:
        for key in self._keys.believed:
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=[_ALGORITHM],
                    audience=purpose,
                    subject=session_id,
                    # verify_iat would refuse a fresh link whose signer's clock is a second ahead of ours
                    options={"require": ["aud", "sub", "iat", "exp"], "strict_aud": True, "verify_iat": False},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError as error:
                raise TokenRefusedError(str(error)) from None
            if longest_seconds is not None and claims["exp"] - claims["iat"] > longest_seconds:
                raise TokenRefusedError("signed for longer than is granted here")
            return int(claims["exp"])
        raise TokenRefusedError("signed with none of the keys")

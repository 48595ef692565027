"""The visitor's GitHub token, sealed: their browser keeps it for us, and only we can open it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

if TYPE_CHECKING:
    from collections.abc import Sequence

_PURPOSE = b"uat-renewal\0"


class SealBrokenError(Exception):
    """What was shown is not sealed by us, or for another session."""


@dataclass(frozen=True)
class Renewal:
    """What is needed to ask GitHub again. Times are epoch seconds."""

    token: str = field(repr=False)
    ends_at: int
    """The visitor signs in again after this, whatever GitHub says."""
    asked_at: int
    """When GitHub last said that the visitor may read the repository."""

    def sealed(self, keys: Sequence[str], session_id: str) -> str:
        """Return it as text that is fit for a cookie, sealed with the first of the keys for this session alone."""
        box = SecretBox(_key(keys[0], session_id))
        return base64.urlsafe_b64encode(box.encrypt(json.dumps(asdict(self)).encode())).decode()


def unseal(text: str, keys: Sequence[str], session_id: str) -> Renewal:
    """Return what was sealed with one of the keys for this session.

    Raises:
        SealBrokenError: it was not, or somebody has changed it.
    """
    try:
        sealed = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except ValueError as error:
        raise SealBrokenError("not base64url") from error
    for key in keys:
        try:
            return Renewal(**json.loads(SecretBox(_key(key, session_id)).decrypt(sealed)))
        except (CryptoError, ValueError):  # ValueError: shorter than any seal
            continue
    raise SealBrokenError("sealed with no key of ours for this session")


def _key(access_key: str, session_id: str) -> bytes:
    """Derive 32 bytes for one session, as HKDF-Expand (RFC 5869) does for an output of one block."""
    return hmac.digest(access_key.encode(), _PURPOSE + session_id.encode() + b"\x01", hashlib.sha256)

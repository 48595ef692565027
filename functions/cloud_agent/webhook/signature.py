"""GitHub's webhook signature."""

from __future__ import annotations

import hashlib
import hmac

from cloud_agent.domain.errors import InvalidSignatureError

PREFIX = "sha256="


def sign(secret: str, body: bytes) -> str:
    """Return the value GitHub sends as X-Hub-Signature-256 for these bytes."""
    return PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(secret: str, body: bytes, signature: str | None) -> None:
    """Guarantee that `body` was signed with `secret`; the comparison takes constant time.

    Raises:
        InvalidSignatureError: the signature is missing, malformed or wrong.
    """
    # An empty secret would make every sender able to sign: a deployment without one accepts nobody.
    if not secret or not signature:
        raise InvalidSignatureError("The X-Hub-Signature-256 header is missing or the secret has no value.")
    if not hmac.compare_digest(sign(secret, body).encode(), signature.encode("utf-8", "surrogateescape")):
        raise InvalidSignatureError("X-Hub-Signature-256 does not match the body: check the webhook's secret.")

"""GitHub's webhook signature."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from cloud_agent.domain.errors import InvalidSignatureError

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "sha256="


def sign(secret: str, body: bytes) -> str:
    """Return the value GitHub sends as X-Hub-Signature-256 for these bytes."""
    return PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(secrets: Iterable[str], body: bytes, signature: str | None) -> None:
    """Guarantee that `body` was signed with one of the secrets; each comparison takes constant time.

    A further secret is taken from `secrets` only when those before it didn't sign.

    Raises:
        InvalidSignatureError: the signature is missing, malformed or wrong.
    """
    if not signature:
        raise InvalidSignatureError("The X-Hub-Signature-256 header is missing.")
    given = signature.encode("utf-8", "surrogateescape")
    # An empty secret would make every sender able to sign: a deployment without one accepts nobody.
    if not any(secret and hmac.compare_digest(sign(secret, body).encode(), given) for secret in secrets):
        raise InvalidSignatureError("X-Hub-Signature-256 does not match the body: check the webhook's secret.")

"""The private key of a GitHub App, made once for each worker: making one takes a tenth of a second."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@cache
def app_key() -> RSAPrivateKey:
    """The key."""
    return generate_private_key(public_exponent=65_537, key_size=2_048)


@cache
def app_key_pem() -> str:
    """The key as GitHub hands it out."""
    return app_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

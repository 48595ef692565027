"""Private keys of a GitHub App."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@cache
def app_key() -> RSAPrivateKey:
    """The one that tests share: making one takes a tenth of a second."""
    return _new_key()


@cache
def app_key_pem() -> str:
    """The same as GitHub hands it out."""
    return _pem(app_key())


def new_key_pem() -> str:
    """Another one."""
    return _pem(_new_key())


def _new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65_537, key_size=2_048)


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

"""DynamoDB: installation tokens that one function was given and the others use, too.

A session's way to its URL leads through five functions, whose workers may all be new. What is kept is sealed with the
App's own private key: whoever can open it could have the same token from GitHub.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cloud_agent.adapters.aws import clients
from cloud_agent.adapters.github.tokens import Token
from cloud_agent.adapters.table.keys import token_key

if TYPE_CHECKING:
    from cloud_agent.adapters.github.tokens import Scope

_PURPOSE = b"claude-cloud-agent: installation tokens"
_KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D, section 8.2.2: random nonces of 96 bits


class SharedTokens:
    """One token for each scope, until it expires."""

    def __init__(self, table_name: str, private_key: str) -> None:
        self._table = clients.table(table_name)
        self._private_key = private_key

    def get(self, scope: Scope) -> Token | None:
        """Return the token of this scope; None where there is none that this key opens."""
        item = self._table.get_item(Key=token_key(scope.repository_id, scope.digest), ConsistentRead=True).get("Item")
        if item is None:
            return None
        stored: Any = item["sealed"]  # boto3's Binary
        sealed = bytes(stored)
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            opened = self._cipher().decrypt(nonce, text, scope.name.encode())
        except InvalidTag:  # sealed with a key that the App had before, or not by us
            return None
        return Token.model_validate_json(opened)

    def put(self, scope: Scope, token: Token) -> None:
        """Keep a token in the place of any other of its scope."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher().encrypt(nonce, token.model_dump_json().encode(), scope.name.encode())
        key, expires_at = token_key(scope.repository_id, scope.digest), int(token.expires.timestamp())
        self._table.put_item(Item={**key, "sealed": sealed, "expires_at": expires_at})

    def _cipher(self) -> AESGCM:
        return AESGCM(HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(self._private_key.encode()))

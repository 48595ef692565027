"""The App, its installation and the person, made up once and kept in the data directory."""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from pathlib import Path

PERSON = "octo-dev"


@dataclass(frozen=True)
class Credentials:
    """What a client needs: the GitHub App's identity and key, and the personal token of the user `octo-dev`.

    `owner` is the organization whose repositories `octo-dev` administers; `installation_id` is the App's
    installation there. `webhook_secret` is the secret the App's webhook starts with; with `client_id` and
    `client_secret` the App exchanges a user's authorization for a token.
    """

    app_name: str

    app_id: int
    client_id: str
    client_secret: str
    private_key_pem: str
    installation_id: int
    webhook_secret: str
    token: str
    owner: str

    @property
    def app_slug(self) -> str:
        """The App's name as it stands in URLs."""
        return re.sub(r"[^a-z0-9]+", "-", self.app_name.lower()).strip("-")

    @property
    def bot(self) -> str:
        """The login under which the App acts."""
        return f"{self.app_slug}[bot]"


def load_or_create(path: Path, owner: str, app_name: str) -> Credentials:
    """Return the credentials kept at `path`; the first time make them, for `owner`, readable by us alone."""
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        # Made before users could authorize the App, or before it could be named.
        credentials = Credentials(**{"client_secret": secrets.token_hex(20), "app_name": app_name} | kept)
        if asdict(credentials) != kept:
            _write_private(path, json.dumps(asdict(credentials), indent=2) + "\n")
        return credentials
    credentials = Credentials(
        app_name=app_name,
        app_id=secrets.randbelow(900_000) + 100_000,
        client_id=f"Iv23li{secrets.token_hex(7)}",
        client_secret=secrets.token_hex(20),
        private_key_pem=_private_key_pem(),
        installation_id=secrets.randbelow(90_000_000) + 10_000_000,
        webhook_secret=secrets.token_hex(20),
        token=f"ghp_{secrets.token_hex(18)}",
        owner=owner,
    )
    _write_private(path, json.dumps(asdict(credentials), indent=2) + "\n")
    return credentials


def _private_key_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,  # what GitHub's own download contains
        serialization.NoEncryption(),
    )
    return pem.decode()


def _write_private(path: Path, text: str) -> None:
    """Write through a temporary file, so that nobody ever reads half a file or one that others may read."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)

"""Credentials of a role, known to ministack's STS, as AWS services hold them for the roles they are given."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from ministack.services import sts

# Known to this process alone; from it and the role all keys follow, so asking twice registers one session.
_PROCESS_SECRET = secrets.token_hex(32)


@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of an assumed role. They do not expire while the embedded AWS runs."""

    access_key_id: str
    secret_access_key: str
    session_token: str


def assume(role_arn: str, session_name: str) -> RoleCredentials:
    """Return the credentials of `session_name` in the role, registered with STS."""
    seed = f"{_PROCESS_SECRET}:{role_arn}:{session_name}"
    credentials = RoleCredentials(
        access_key_id=f"ASIA{_digest('key', seed)[:16].upper()}",
        secret_access_key=_digest("secret", seed)[:40],
        session_token=_digest("token", seed),
    )
    account = role_arn.split(":")[4]
    role = role_arn.rsplit("/", 1)[-1]
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session_name}",
        "UserId": f"{role}:{session_name}",
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
    }
    sts.register_session(credentials.access_key_id, session)
    return credentials


def _digest(purpose: str, seed: str) -> str:
    return hashlib.sha256(f"{purpose}:{seed}".encode()).hexdigest()

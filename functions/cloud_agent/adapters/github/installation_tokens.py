"""Tokens for GitHub: of the App's installation, narrowed to one repository and the permissions a caller needs.

Everything that speaks to GitHub shares this exchange: PyGithub's knows no repositories, only permissions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict

from cloud_agent.adapters.github.errors import of_installation
from cloud_agent.adapters.github.requests import SHORT, GitHubRequests, Patience
from cloud_agent.adapters.github.tokens import Scope, Token
from cloud_agent.domain.errors import AppNotInstalledError, ConfigurationError
from cloud_agent.worker import once_per_worker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from cloud_agent.adapters.aws.secrets import GitHubCredentials
    from cloud_agent.adapters.table.shared_tokens import SharedTokens
    from cloud_agent.domain.session.repository import GitHubRepository

# What the system itself does: branch and commit, draft pull request, comments and reactions, Deployment.
OWN_PERMISSIONS = {
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "pull_requests": "write",
}
# What the agent's supervisor does: clone and fetch,
READ_PERMISSIONS = {"contents": "read"}
# push,
GIT_PERMISSIONS = {"contents": "write"}
# and what it pushes besides where the deployment allows it: changes of .github/workflows.
WORKFLOW_PERMISSIONS = {"workflows": "write"}

_APP_TOKEN_SECONDS = 540  # GitHub accepts at most ten minutes
_CLOCK_SKEW_SECONDS = 60  # as GitHub's documentation advises for `iat`
_LEFT_AT_LEAST = timedelta(minutes=5)  # of a remembered token's life, so that it does not expire in use


class _Exchanged(BaseModel):
    """GitHub's document of a new token."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    token: str
    expires_at: str


class InstallationTokens:
    """Exchanges the deployment's GitHub credentials for tokens. Those of `shared` need no exchange."""

    def __init__(
        self,
        api_url: str,
        credentials: GitHubCredentials,
        patience: Patience = SHORT,
        *,
        shared: SharedTokens | None = None,
    ) -> None:
        self._requests = GitHubRequests(api_url, patience)
        self._credentials = credentials
        self._shared = shared

    @property
    def revocation_url(self) -> str | None:
        """Where who holds a token may revoke it; None for a personal token, which isn't one session's to revoke."""
        return None if self._credentials.token else f"{self._requests.api_url}/installation/token"

    def token(self, repository: GitHubRepository, permissions: Mapping[str, str]) -> Token:
        """Return a token for this repository alone with these permissions, valid for at most an hour.

        A personal token, when that is what the deployment has, is returned as it is: GitHub cannot narrow one.

        Raises:
            AppNotInstalledError: the event came without an installation, or the installation is gone.
            ConfigurationError: GitHub does not accept the App's id and key, or lacks a permission.
            RepositoryNotFoundError: the installation does not reach this repository.
            GitHubUnavailableError, GitHubRateLimitedError: worth a retry.
        """
        if self._credentials.token:
            return Token(value=self._credentials.token, expires_at=_in_an_hour())
        if repository.installation_id is None:
            raise AppNotInstalledError(f"The event from {repository.name} names no installation of the GitHub App.")
        path = f"/app/installations/{repository.installation_id}/access_tokens"
        wanted = {"repository_ids": [repository.id], "permissions": dict(permissions)}
        response = self._requests.send("POST", path, app_token(self._credentials), wanted)
        if response.status != 201:  # noqa: PLR2004 - Created
            raise of_installation(response)
        document = response.read(_Exchanged)
        return Token(value=document.token, expires_at=document.expires_at)

    def remembered_token(self, repository: GitHubRepository, permissions: Mapping[str, str]) -> Token:
        """As `token`, but one that this worker, or another, was given before, if it lives for five minutes more.

        For the system's own use, and for agents to read by: one that is handed on and can write is always a new one. A
        personal token is not remembered, so that a rotated one takes effect.
        """
        if self._credentials.token or repository.installation_id is None:
            return self.token(repository, permissions)
        memory, scope = _memory(), self._scope(repository, permissions)
        known = memory.tokens.get(scope)
        if not memory.may_use(known) and self._shared:
            known = self._shared.get(scope)
            if known:
                memory.shared.add(known.value)
        if not memory.may_use(known):
            known = self.token(repository, permissions)
        memory.tokens[scope] = known
        return known

    def shared_token(self, repository: GitHubRepository, permissions: Mapping[str, str]) -> Token:
        """As `remembered_token`, and leave it to other workers unless it's from them."""
        token, memory = self.remembered_token(repository, permissions), _memory()
        if self._shared and repository.installation_id is not None and not self._credentials.token:
            if token.value not in memory.shared:
                self._shared.put(self._scope(repository, permissions), token)
            memory.shared.add(token.value)
        return token

    def _scope(self, repository: GitHubRepository, permissions: Mapping[str, str]) -> Scope:
        wanted = tuple(sorted(permissions.items()))
        app_id, installation_id = self._credentials.app_id, repository.installation_id
        return Scope(self._requests.api_url, app_id, repository.id, installation_id, wanted)

    @staticmethod
    def forget(token: Token) -> None:
        """Have the next caller get a new token: GitHub refused this one. The App may have more permissions by now."""
        _memory().refused.add(token.value)


def app_token(credentials: GitHubCredentials) -> str:
    """Return the App's own proof of itself, for what concerns no installation; valid for nine minutes.

    Raises:
        ConfigurationError: as `sign_as_app` does.
    """
    now = int(time.time())
    claims = {"iss": credentials.app_id, "iat": now - _CLOCK_SKEW_SECONDS, "exp": now + _APP_TOKEN_SECONDS}
    return sign_as_app(credentials, claims)


def sign_as_app(credentials: GitHubCredentials, claims: Mapping[str, Any]) -> str:
    """Return the claims, signed with the App's key.

    Raises:
        ConfigurationError: the private key is none; never shows it.
    """
    try:
        # The deployment's own key: to prove that its numbers belong together takes a hundred times as long as to sign.
        key = load_pem_private_key(credentials.private_key.encode(), None, unsafe_skip_rsa_key_validation=True)
        return jwt.encode(dict(claims), cast("RSAPrivateKey", key), algorithm="RS256")
    # A TypeError where the key has a passphrase, or isn't for RSA.
    except (TypeError, ValueError, UnsupportedAlgorithm, jwt.PyJWTError) as error:
        raise ConfigurationError("The GitHub secret's private_key is not an RSA key in PEM form.") from error


@dataclass
class _Memory:
    """A worker's tokens; the values of those that other workers may have, and of those that GitHub refused."""

    tokens: dict[Scope, Token] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def may_use(self, token: Token | None) -> TypeGuard[Token]:
        """Whether there is such a token, GitHub has not refused it, and it lives for a while."""
        return (
            token is not None
            and token.value not in self.refused
            and token.expires - datetime.now(UTC) >= _LEFT_AT_LEAST
        )


@once_per_worker
def _memory() -> _Memory:
    return _Memory()


def _in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")

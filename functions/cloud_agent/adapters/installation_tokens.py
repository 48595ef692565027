"""Tokens for GitHub: of the App's installation, narrowed to one repository and the permissions a caller needs.

PyGithub can exchange an App's key for a token, but not for one repository alone, and it takes a quarter of a second
to import; the Agent API and the steps share this exchange instead.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import urllib3
from urllib3.exceptions import HTTPError

from cloud_agent.adapters.secrets import GitHubCredentials
from cloud_agent.domain.errors import (
    AppNotInstalledError,
    ConfigurationError,
    GitHubRateLimitedError,
    GitHubRequestError,
    GitHubUnavailableError,
    RepositoryNotFoundError,
)

# What the steps do: branch and commit, draft pull request, comments, Deployment.
STEP_PERMISSIONS = {
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "pull_requests": "write",
}
# What the agent's supervisor does: clone and push.
GIT_PERMISSIONS = {"contents": "write"}

_TIMEOUT = urllib3.Timeout(connect=3, read=7)
_APP_TOKEN_SECONDS = 540  # GitHub accepts at most ten minutes
_CLOCK_SKEW_SECONDS = 60  # as GitHub's documentation advises for `iat`


@dataclass(frozen=True, repr=False)
class Token:
    """A bearer of GitHub's API and of Git over HTTP (user `x-access-token`). Has no repr: it is a secret."""

    value: str
    expires_at: str


class InstallationTokens:
    """Exchanges the deployment's GitHub credentials for tokens."""

    def __init__(self, api_url: str, credentials: GitHubCredentials) -> None:
        self._api_url = api_url.rstrip("/")
        self._credentials = credentials
        self._http = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def token(self, repo: str, installation_id: int | None, permissions: Mapping[str, str]) -> Token:
        """A token for this repository alone with these permissions, valid for at most an hour.

        A personal token, when that is what the deployment has, is returned as it is: GitHub cannot narrow one.

        Raises:
            AppNotInstalledError: the event came without an installation, or the installation is gone.
            ConfigurationError: GitHub does not accept the App's id and key, or lacks a permission.
            RepositoryNotFoundError: the installation does not reach this repository.
            GitHubUnavailableError, GitHubRateLimitedError: worth a retry.
        """
        if self._credentials.token:
            return Token(self._credentials.token, _in_an_hour())
        if installation_id is None:
            raise AppNotInstalledError(f"The event from {repo} names no installation of the GitHub App.")
        return self._exchange(
            f"/app/installations/{installation_id}/access_tokens",
            {"repositories": [repo.partition("/")[2]], "permissions": dict(permissions)},
        )

    def _exchange(self, path: str, body: dict[str, Any]) -> Token:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._app_token()}",
            "Content-Type": "application/json",
            "User-Agent": "claude-cloud-agent",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            answer = self._http.request("POST", self._api_url + path, body=json.dumps(body), headers=headers)
        except HTTPError as error:
            raise GitHubUnavailableError(f"GitHub did not answer POST {path}: {type(error).__name__}") from error
        if answer.status != 201:  # noqa: PLR2004 - Created
            raise _refusal(path, answer.status, answer.data)
        try:
            document = answer.json()
            return Token(document["token"], document["expires_at"])
        except (ValueError, KeyError, TypeError) as error:
            raise GitHubUnavailableError(f"GitHub answered 201 to POST {path} with no token.") from error

    def _app_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._credentials.app_id,
            "iat": now - _CLOCK_SKEW_SECONDS,
            "exp": now + _APP_TOKEN_SECONDS,
        }
        try:
            return jwt.encode(claims, self._credentials.private_key, algorithm="RS256")
        except (TypeError, ValueError, jwt.PyJWTError) as error:  # a TypeError where the key has a passphrase
            raise ConfigurationError("The GitHub secret's private_key is not an RSA key in PEM form.") from error


def _refusal(path: str, status: int, data: bytes) -> Exception:
    message = f"GitHub answered {status} to POST {path}: {_message(data)}"
    if status >= 500:  # noqa: PLR2004 - server errors
        return GitHubUnavailableError(message)
    if status == 429 or (status == 403 and "rate limit" in message.lower()):  # noqa: PLR2004 - as documented
        return GitHubRateLimitedError(message)
    if status == 422 and "repositor" in message:  # noqa: PLR2004 - "... does not exist or is not accessible"
        return RepositoryNotFoundError(message)
    by_status = {
        401: ConfigurationError(message + " (check app_id and private_key)"),
        403: AppNotInstalledError(message),
        404: AppNotInstalledError(message),
        422: ConfigurationError(message + " (grant the App this permission)"),
    }
    return by_status.get(status) or GitHubRequestError(message)


def _message(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        return "no message"


def _in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")

"""GitHub's side of the stack: the App's settings, read with the App's own key."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from cloud_agent.adapters.aws.secrets import GitHubCredentials
from cloud_agent.adapters.github.app import RegisteredApp
from cloud_agent.adapters.github.installation_tokens import InstallationTokens, app_token
from cloud_agent.adapters.github.requests import GitHubRequests, Response
from cloud_agent.domain.errors import GitHubRateLimitedError
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_agent.domain.session.repository import GitHubRepository
    from cloud_agent_doctor.engine.context import CheckContext

ACTIONS = ("secretsmanager:GetSecretValue",)


@dataclass(frozen=True, repr=False)
class GitHub:
    """GitHub, read as the stack's App, or as the owner of the stack's personal token. No repr: it holds a secret."""

    api_url: str
    credentials: GitHubCredentials

    @property
    def is_app(self) -> bool:
        """Whether the stack uses an App, and not a personal token."""
        return not self.credentials.token

    @property
    def cli_host(self) -> str:
        """The GitHub CLI's option for a GitHub other than github.com; empty for github.com."""
        host = urlsplit(self.api_url).hostname or ""
        return "" if host == "api.github.com" else f" --hostname {host}"

    def get(self, path: str) -> Response:
        """Return GitHub's response to a path, or to the address of a page.

        Raises:
            ConfigurationError: the private key is invalid.
            GitHubUnavailableError: GitHub doesn't respond, or responds with a server error.
            DataUnavailableError: a rate limit is exceeded.
        """
        bearer = app_token(self.credentials) if self.is_app else self.credentials.token
        with _rate_limit_as_missing_data():
            return GitHubRequests(self.api_url).send("GET", path, bearer)

    def of_repository(self, repository: GitHubRepository, permissions: Mapping[str, str]) -> RepositoryOnGitHub:
        """Return a repository, to be read with a token that has these permissions for it alone.

        Raises:
            CloudAgentError, DataUnavailableError: as of `InstallationTokens.token`, and of `get`.
        """
        with _rate_limit_as_missing_data():
            token = InstallationTokens(self.api_url, self.credentials).token(repository, permissions)
        return RepositoryOnGitHub(self.api_url, repository.name, token.value)

    def registration(self) -> dict[str, Any]:
        """Return the App's own document.

        Raises:
            ConfigurationError, GitHubRequestError: GitHub doesn't accept the App.
            GitHubUnavailableError, DataUnavailableError: as of `get`.
        """
        with _rate_limit_as_missing_data():
            return RegisteredApp(self.api_url, self.credentials).registration()

    def installations(self) -> list[dict[str, Any]]:
        """Return the documents of the App's installations.

        Raises:
            ConfigurationError, GitHubRequestError, GitHubUnavailableError, DataUnavailableError: as of `registration`.
        """
        with _rate_limit_as_missing_data():
            return RegisteredApp(self.api_url, self.credentials).installations()


@dataclass(frozen=True, repr=False)
class RepositoryOnGitHub:
    """One repository, read by the installation that reaches it. No repr: it holds a secret."""

    api_url: str
    repo: str
    token: str

    def get(self, path: str) -> Response:
        """Return GitHub's response to a path below the repository's.

        Raises:
            GitHubUnavailableError, DataUnavailableError: as of `GitHub.get`.
        """
        with _rate_limit_as_missing_data():
            return GitHubRequests(self.api_url).send("GET", f"/repos/{self.repo}{path}", self.token)


def connect(context: CheckContext) -> GitHub:
    """Return the stack's GitHub, with the stack's credentials.

    Raises:
        NotApplicableError: the secret has no usable value, which the check `secrets` reports.
        DataUnavailableError: the secret can't be read.
    """
    secret = context.stack.physical_id("GitHubSecret")
    missing = ["ResourceNotFoundException", "InvalidRequestException"]  # gone, or scheduled for deletion
    value = context.aws.describe("secretsmanager", "get_secret_value", missing=missing, SecretId=secret) or {}
    try:
        credentials = GitHubCredentials.model_validate_json(value.get("SecretString", ""))
    except ValidationError as error:
        raise NotApplicableError("GitHubSecret has no usable value: see the check `secrets`") from error
    return GitHub(context.stack.parameters["GitHubApiUrl"], credentials)


@contextmanager
def _rate_limit_as_missing_data() -> Iterator[None]:
    try:
        yield
    except GitHubRateLimitedError as error:
        raise DataUnavailableError(str(error)) from error

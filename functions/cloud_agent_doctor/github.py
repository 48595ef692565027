"""GitHub's side of the stack: the App's settings, read with the App's own key."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError

from cloud_agent.adapters.aws.secrets import GitHubCredentials
from cloud_agent.adapters.github.installation_tokens import app_token
from cloud_agent.adapters.github.requests import Answer, GitHubRequests
from cloud_agent.domain.errors import GitHubRateLimitedError, GitHubRequestError
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.context import CheckContext

ACTIONS = ("secretsmanager:GetSecretValue",)
_PAGES = 10  # of 100


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

    def get(self, path: str) -> Answer:
        """Return GitHub's response to a path, or to the address of a page.

        Raises:
            ConfigurationError: the private key is invalid.
            GitHubUnavailableError: GitHub doesn't respond, or responds with a server error.
            DataUnavailableError: a rate limit is exceeded.
        """
        bearer = app_token(self.credentials) if self.is_app else self.credentials.token
        try:
            return GitHubRequests(self.api_url).send("GET", path, bearer)
        except GitHubRateLimitedError as error:
            raise DataUnavailableError(str(error)) from error

    def get_all(self, path: str) -> list[dict[str, object]]:
        """Return the members of a paged list, at most 1,000.

        Raises:
            ConfigurationError, GitHubUnavailableError, DataUnavailableError: as of `get`.
            GitHubRequestError: GitHub refuses the list.
        """
        found: list[dict[str, object]] = []
        following: str | None = path
        for _ in range(_PAGES):
            if following is None:
                break
            answer = self.get(following)
            if answer.status != HTTPStatus.OK or not isinstance(answer.document, list):
                raise GitHubRequestError(answer.words)
            found += answer.document
            following = answer.next_page
        return found


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

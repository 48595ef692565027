"""GitHub's side of the stack: what the App says of itself, asked with the App's own key."""

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
from cloud_agent_doctor.engine.check import CannotLookError, NotApplicableError

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.examination import Examination

ACTIONS = ("secretsmanager:GetSecretValue",)
_PAGES = 10  # of 100


@dataclass(frozen=True, repr=False)
class GitHub:
    """One GitHub, asked as the stack's App, or as the person whose token the stack has. Has no repr: it is a secret."""

    api_url: str
    credentials: GitHubCredentials

    @property
    def is_app(self) -> bool:
        """Whether the stack has an App, and not a person's token."""
        return not self.credentials.token

    @property
    def cli_host(self) -> str:
        """What GitHub's command line needs to be told of another GitHub than github.com."""
        host = urlsplit(self.api_url).hostname or ""
        return "" if host == "api.github.com" else f" --hostname {host}"

    def get(self, path: str) -> Answer:
        """GitHub's answer, by a path or the address of a page.

        Raises:
            ConfigurationError: the private key is none.
            GitHubUnavailableError: GitHub does not answer, or with an error of its own.
            CannotLookError: a rate limit is used up.
        """
        bearer = app_token(self.credentials) if self.is_app else self.credentials.token
        try:
            return GitHubRequests(self.api_url).send("GET", path, bearer)
        except GitHubRateLimitedError as error:
            raise CannotLookError(str(error)) from error

    def get_all(self, path: str) -> list[dict[str, object]]:
        """Return the members of a paged list, at most 1,000.

        Raises:
            ConfigurationError, GitHubUnavailableError, CannotLookError: as of `get`.
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


def connect(examination: Examination) -> GitHub:
    """Return the stack's GitHub, with the stack's credentials.

    Raises:
        NotApplicableError: the secret has no value that can be used, which is what the check `secrets` says.
        CannotLookError: the secret may not be read.
    """
    secret = examination.stack.physical_id("GitHubSecret")
    missing = ["ResourceNotFoundException", "InvalidRequestException"]  # gone, or scheduled for deletion
    value = examination.aws.ask("secretsmanager", "get_secret_value", missing=missing, SecretId=secret) or {}
    try:
        credentials = GitHubCredentials.model_validate_json(value.get("SecretString", ""))
    except ValidationError as error:
        raise NotApplicableError("GitHubSecret has no usable value: see the check `secrets`") from error
    return GitHub(examination.stack.parameters["GitHubApiUrl"], credentials)

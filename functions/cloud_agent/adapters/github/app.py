"""The GitHub App as GitHub has it registered, through PyGithub, which pages and types what it lists.

Nothing on the way to a session's URL imports this module: importing PyGithub takes longer than most requests.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import requests
from github import Auth, GithubException, GithubIntegration

from cloud_agent.adapters.github.errors import of_app, passing
from cloud_agent.adapters.github.installation_tokens import sign_as_app
from cloud_agent.adapters.github.requests import SHORT, Response
from cloud_agent.domain.errors import GitHubUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent.adapters.aws.secrets import GitHubCredentials

    Document = dict[str, Any]

_TIMEOUT_SECONDS = 10
_PAGE = 100  # the most that GitHub gives
_MOST_INSTALLATIONS = 1_000


class RegisteredApp:
    """One App, asked with its own key.

    Every method raises ConfigurationError where the key is none or not the App's, GitHubRequestError where GitHub
    refuses the request for another reason, and GitHubUnavailableError or GitHubRateLimitedError where a later try
    may succeed.
    """

    def __init__(self, api_url: str, credentials: GitHubCredentials) -> None:
        self._integration = GithubIntegration(
            auth=Auth.AppAuth(credentials.app_id, sign_func=partial(sign_as_app, credentials)),
            base_url=api_url.rstrip("/"),
            timeout=_TIMEOUT_SECONDS,
            per_page=_PAGE,
            retry=SHORT.retry,
            seconds_between_requests=0,
        )

    def registration(self) -> Document:
        """Return the App's own document: its permissions, its events, its page."""
        with _translated("GET /app"):
            return self._integration.get_app().raw_data

    def installations(self) -> list[Document]:
        """Return the documents of its installations, at most 1,000."""
        with _translated("GET /app/installations"):
            listed = islice(self._integration.get_installations(), _MOST_INSTALLATIONS)
            return [installation.raw_data for installation in listed]


@contextmanager
def _translated(request: str) -> Iterator[None]:
    """Guarantee that whatever goes wrong with GitHub in this block is a CloudAgentError."""
    try:
        yield
    except requests.RequestException as error:
        raise GitHubUnavailableError(f"GitHub did not respond to {request}: {type(error).__name__}") from error
    except GithubException as error:
        response = Response(request, error.status, error.data)
        raise (passing(response) or of_app(response)) from error

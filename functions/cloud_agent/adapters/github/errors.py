"""What GitHub's refusals mean: each by the name that the state machine knows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests
from github import GithubException
from github.GithubException import RateLimitExceededException

from cloud_agent.domain.errors import (
    BranchProtectedError,
    CloudAgentError,
    ConfigurationError,
    GitHubRateLimitedError,
    GitHubRequestError,
    GitHubUnavailableError,
    RepositoryEmptyError,
    RepositoryNotFoundError,
    RepositoryReadOnlyError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVER_ERROR = 500


@contextmanager
def translated(repo: str) -> Iterator[None]:
    """Guarantee that whatever goes wrong with GitHub in this block is a CloudAgentError."""
    try:
        yield
    except requests.RequestException as error:
        raise GitHubUnavailableError(f"GitHub did not answer: {type(error).__name__}") from error
    except GithubException as error:
        raise translate(repo, error) from error


def translate(repo: str, error: GithubException) -> CloudAgentError:
    """Return the error of the domain that says what GitHub's answer means for the session."""
    message = f"{repo}: GitHub answered {error.status}: {_message(error)}"
    if isinstance(error, RateLimitExceededException) or _is_graphql_rate_limit(error):
        return GitHubRateLimitedError(message)
    if error.status >= _SERVER_ERROR:
        return GitHubUnavailableError(message)
    if error.status == 422 and ("rule" in _message(error).lower() or "protected" in _message(error).lower()):  # noqa: PLR2004 - Unprocessable, GitHub's answer to a rule violation
        return BranchProtectedError(message)
    by_status: dict[int, type[CloudAgentError]] = {
        401: ConfigurationError,
        403: RepositoryReadOnlyError,
        404: RepositoryNotFoundError,
        409: RepositoryEmptyError,
        429: GitHubRateLimitedError,
    }
    return by_status.get(error.status, GitHubRequestError)(message)


def says(error: GithubException, status: int, words: str) -> bool:
    """Whether GitHub refused with this status and in these words."""
    return error.status == status and words in _message(error).lower()


def _is_graphql_rate_limit(error: GithubException) -> bool:
    """GraphQL answers a rate limit with 200 and an error in the document, of type RATE_LIMITED or RATE_LIMIT."""
    errors = error.data.get("errors") if isinstance(error.data, dict) else None
    kinds = [str(one.get("type")) for one in errors or [] if isinstance(one, dict)]
    return any(kind.startswith("RATE_LIMIT") for kind in kinds)


def _message(error: GithubException) -> str:
    """GitHub's own words: the message, and those of its list of errors."""
    data: Any = error.data
    if not isinstance(data, dict):
        return str(data)
    errors = data.get("errors") or []
    details = [str(e.get("message", "") if isinstance(e, dict) else e) for e in errors]
    return " ".join(part for part in [str(data.get("message", "")), *details] if part)

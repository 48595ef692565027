"""What GitHub's refusals mean: the one table of statuses and the names that the state machine knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.errors import (
    AppNotInstalledError,
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
    from collections.abc import Mapping

    from cloud_agent.adapters.github.requests import Response

    Table = Mapping[int, tuple[type[CloudAgentError], str]]

# Status -> error, and what to check. What stands in no table is a GitHubRequestError.
_OF_REPOSITORY: Table = {
    401: (ConfigurationError, " (check the GitHub secret)"),
    403: (RepositoryReadOnlyError, " (is it archived, or does the App lack a permission?)"),
    404: (RepositoryNotFoundError, ""),
    409: (RepositoryEmptyError, ""),
}
_OF_APP: Table = {401: (ConfigurationError, " (check app_id and private_key)")}
_OF_INSTALLATION: Table = {
    **_OF_APP,
    403: (AppNotInstalledError, ""),
    404: (AppNotInstalledError, ""),
    422: (ConfigurationError, " (grant the App this permission)"),
}
_SERVER_ERROR = 500


def passing(response: Response) -> CloudAgentError | None:
    """Return the error if a later try may succeed: GitHub itself failed, or a rate limit is used up."""
    if response.status >= _SERVER_ERROR:
        return GitHubUnavailableError(response.summary)
    # As documented: 429, or 403 with these words; GraphQL says it in a document of status 200.
    if response.status == 429 or response.refuses(403, "rate limit") or _is_graphql_rate_limit(response):  # noqa: PLR2004
        return GitHubRateLimitedError(response.summary)
    return None


def of_repository(response: Response) -> CloudAgentError:
    """Return the error for a request about a repository."""
    if response.refuses(422, "rule") or response.refuses(422, "protected"):
        return BranchProtectedError(response.summary)
    if response.refuses(403, "suspended"):  # a token outlives its installation's suspension
        return AppNotInstalledError(response.summary)
    return _error(_OF_REPOSITORY, response)


def of_app(response: Response) -> CloudAgentError:
    """Return the error for a request that the App makes for itself."""
    return _error(_OF_APP, response)


def of_installation(response: Response) -> CloudAgentError:
    """Return the error for the exchange of the App's key for an installation's token."""
    if response.refuses(422, "repositor"):  # "... does not exist or is not accessible"
        return RepositoryNotFoundError(response.summary)
    return _error(_OF_INSTALLATION, response)


def _error(table: Table, response: Response) -> CloudAgentError:
    error, hint = table.get(response.status, (GitHubRequestError, ""))
    return error(response.summary + hint)


def _is_graphql_rate_limit(response: Response) -> bool:
    """Whether an error of GraphQL is of type RATE_LIMITED or RATE_LIMIT."""
    return any(kind.startswith("RATE_LIMIT") for kind in response.error_types)

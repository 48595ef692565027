"""GitHub's refusals by the names that the state machine knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from github import Requester

from cloud_agent.adapters.github.errors import translate
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
    from github.GithubException import GithubException

RULE = "Repository rule violations found\n\nCannot create ref due to creations being restricted."


def _error(status: int, data: Any) -> GithubException:  # noqa: ANN401 - whatever the server sent
    """The exception that PyGithub itself makes of an answer."""
    return Requester.Requester.createException(status, {}, data)


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (401, "Bad credentials", ConfigurationError),
        (403, "Repository was archived so is read-only.", RepositoryReadOnlyError),
        (403, "Resource not accessible by integration", RepositoryReadOnlyError),
        (403, "API rate limit exceeded for installation ID 1.", GitHubRateLimitedError),
        (403, "You have exceeded a secondary rate limit. Please wait.", GitHubRateLimitedError),
        (404, "Not Found", RepositoryNotFoundError),
        (409, "Git Repository is empty.", RepositoryEmptyError),
        (422, "Validation Failed", GitHubRequestError),
        (422, RULE, BranchProtectedError),
        (422, "Changes must be made through a pull request: protected branch", BranchProtectedError),
        (429, "Too many requests", GitHubRateLimitedError),
        (410, "Gone", GitHubRequestError),
        (500, "Server Error", GitHubUnavailableError),
        (502, "Bad Gateway", GitHubUnavailableError),
        (503, "Service unavailable", GitHubUnavailableError),
    ],
)
def test_each_refusal_has_its_name(status: int, message: str, expected: type[CloudAgentError]) -> None:
    error = translate("acme/storefront", _error(status, {"message": message}))
    assert expected is type(error)
    assert f"acme/storefront: GitHub answered {status}: {message}" == str(error)


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_a_rate_limit_is_one_in_graphqls_own_words_too(kind: str) -> None:
    """Answered with 200, which PyGithub tells as 400."""
    data = {"errors": [{"type": kind, "message": "API rate limit exceeded for installation ID 1."}]}
    assert GitHubRateLimitedError is type(translate("acme/storefront", _error(400, data)))


def test_any_other_error_of_graphql_is_a_refusal() -> None:
    data = {"errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]}
    assert GitHubRequestError is type(translate("acme/storefront", _error(400, data)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"message": "Validation Failed", "errors": [{"message": "No commits"}, "odd"]},
            "Validation Failed No commits odd",
        ),
        ({"message": "Validation Failed", "errors": [{"code": "invalid"}]}, "Validation Failed"),
        ({"errors": None}, ""),
        ({"data": "<html>a proxy's page</html>"}, ""),
        (None, "None"),
    ],
)
def test_githubs_own_words_are_kept_whatever_their_form(data: object, words: str) -> None:
    error = translate("acme/storefront", _error(422, data))
    assert f"acme/storefront: GitHub answered 422: {words}" == str(error)

"""GitHub's refusals by the names that the state machine knows."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_agent.adapters.github.errors import of_app, of_installation, of_repository, passing
from cloud_agent.adapters.github.requests import Response
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

RULE = "Repository rule violations found\n\nCannot create ref due to creations being restricted."


def _response(status: int, document: Any) -> Response:  # noqa: ANN401 - whatever the server sent
    return Response("GET /repos/acme/storefront", status, document)


def _error(status: int, document: Any) -> CloudAgentError:  # noqa: ANN401 - as above
    """The error that a request about a repository ends with."""
    response = _response(status, document)
    return passing(response) or of_repository(response)


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
    error = _error(status, {"message": message})
    assert type(error) is expected
    assert str(error).startswith(f"GitHub answered {status} to GET /repos/acme/storefront: {message}")


@pytest.mark.parametrize(
    ("status", "message", "of_the_app", "of_the_installation"),
    [
        (401, "Bad credentials", ConfigurationError, ConfigurationError),
        (403, "Suspended", GitHubRequestError, AppNotInstalledError),
        (404, "Not Found", GitHubRequestError, AppNotInstalledError),
        (422, "The permissions requested are not granted", GitHubRequestError, ConfigurationError),
        (422, "There is at least one repository that does not exist", GitHubRequestError, RepositoryNotFoundError),
        (418, "I'm a teapot", GitHubRequestError, GitHubRequestError),
    ],
)
def test_what_is_refused_to_the_app_and_to_its_installation_has_its_name_too(
    status: int, message: str, of_the_app: type[CloudAgentError], of_the_installation: type[CloudAgentError]
) -> None:
    response = _response(status, {"message": message})
    assert passing(response) is None
    assert type(of_app(response)) is of_the_app
    assert type(of_installation(response)) is of_the_installation


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
def test_a_rate_limit_is_one_in_graphqls_own_words_too(kind: str) -> None:
    data = {"errors": [{"type": kind, "message": "API rate limit exceeded for installation ID 1."}]}
    assert type(passing(_response(200, data))) is GitHubRateLimitedError


def test_any_other_error_of_graphql_does_not_pass() -> None:
    data = {"errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]}
    assert passing(_response(200, data)) is None


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"message": "Validation Failed", "errors": [{"message": "No commits"}, "odd"]},
            "Validation Failed No commits odd",
        ),
        ({"message": "Validation Failed", "errors": [{"code": "invalid"}]}, "Validation Failed"),
        ({"errors": None}, "no message"),
        ({"errors": "odd"}, "no message"),
        ({"data": "<html>a proxy's page</html>"}, "no message"),
        (None, "no message"),
    ],
)
def test_githubs_own_words_are_kept_whatever_their_form(document: object, words: str) -> None:
    assert str(_error(422, document)) == f"GitHub answered 422 to GET /repos/acme/storefront: {words}"

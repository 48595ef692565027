"""GitHub as the webhook needs it: roles, issues, one comment, a reaction; and what each refusal is called."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cloud_agent.adapters.github.connection import GitHub
from cloud_agent.adapters.github.repository_requests import RepositoryRequests, graphql_url
from cloud_agent.adapters.github.requests import GitHubRequests
from cloud_agent.domain.errors import (
    CloudAgentError,
    ConfigurationError,
    GitHubRateLimitedError,
    GitHubRequestError,
    GitHubUnavailableError,
    RepositoryNotFoundError,
    RepositoryReadOnlyError,
)
from cloud_agent.domain.session.repository import GitHubRepository

if TYPE_CHECKING:
    from tests.unit.functions.github_stand_in import GitHubStandIn

    from cloud_agent.adapters.github.conversation import Conversation

REPOSITORY = GitHubRepository(1, "acme/storefront", None)
SINCE = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def github(github_stand_in: GitHubStandIn) -> Conversation:
    requests = GitHubRequests(github_stand_in.url + "/")
    return GitHub(RepositoryRequests(requests, "ghp_a-personal-token", REPOSITORY)).conversation


@pytest.mark.parametrize(
    ("api_url", "expected"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.github.com/", "https://api.github.com/graphql"),
        ("https://github.example.com/api/v3", "https://github.example.com/api/graphql"),
        ("http://localhost:4580/api/v3/", "http://localhost:4580/api/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
    ],
)
def test_graphql_is_found_from_the_apis_address(api_url: str, expected: str) -> None:
    assert graphql_url(api_url) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, ConfigurationError),
        (403, RepositoryReadOnlyError),
        (418, GitHubRequestError),
        (429, GitHubRateLimitedError),
        (500, GitHubUnavailableError),
        (302, GitHubRequestError),
    ],
)
def test_each_refusal_has_its_name(
    github: Conversation, github_stand_in: GitHubStandIn, status: int, expected: type[CloudAgentError]
) -> None:
    github_stand_in.faults += [("GET", "permission", status, False)] * 2
    with pytest.raises(expected, match=rf"{status} to GET /repos/acme/storefront/collaborators"):
        github.has_write_permission("octo-dev")


def test_a_write_to_a_repository_out_of_sight_says_so(github: Conversation, github_stand_in: GitHubStandIn) -> None:
    github_stand_in.faults.append(("POST", "/comments", 404, False))
    with pytest.raises(RepositoryNotFoundError):
        github.ensure_comment(43, "<!-- m -->", "<!-- m -->\n\nHello.", SINCE)


def test_a_write_is_tried_once_and_a_question_twice(github: Conversation, github_stand_in: GitHubStandIn) -> None:
    github_stand_in.faults += [("GET", "/comments", 0, False), ("POST", "/comments", 0, False)]
    with pytest.raises(GitHubUnavailableError, match=r"POST .*comments: ProtocolError"):
        github.ensure_comment(43, "<!-- m -->", "<!-- m -->\n\nHello.", SINCE)
    assert [request.partition(" ")[0] for request in github_stand_in.requests] == ["GET", "GET", "POST"]


def test_a_comment_is_found_by_its_marker_at_its_beginning(
    github: Conversation, github_stand_in: GitHubStandIn
) -> None:
    github_stand_in.comments.append({"number": 43, "body": "> <!-- m -->\n\nquoted"})
    for _ in range(2):
        github.ensure_comment(43, "<!-- m -->", "<!-- m -->\n\nHello.", SINCE)
    assert github_stand_in.said(43) == ["quoted", "Hello."]


def test_a_comment_of_somebody_else_s_is_not_taken_for_ours(
    github: Conversation, github_stand_in: GitHubStandIn
) -> None:
    github_stand_in.comments.append({"number": 43, "body": "<!-- m -->\n\nNothing to see here."})
    ids = [github.ensure_comment(43, "<!-- m -->", "<!-- m -->\n\nHello.", SINCE) for _ in range(2)]
    assert github_stand_in.said(43) == ["Nothing to see here.", "Hello."]
    assert ids == [2, 2]


def test_whose_comments_they_are_is_asked_only_of_those_with_the_marker(
    github: Conversation, github_stand_in: GitHubStandIn
) -> None:
    github_stand_in.comments.append({"number": 43, "body": "Hello."})
    assert github.find_comment(43, "<!-- m -->") is None
    assert github_stand_in.requests == ["GET /repos/acme/storefront/issues/43/comments"]


def test_a_login_is_one_part_of_the_path(github: Conversation, github_stand_in: GitHubStandIn) -> None:
    assert not github.has_write_permission("../octo-dev?")
    assert github_stand_in.requests == ["GET /repos/acme/storefront/collaborators/..%2Focto-dev%3F/permission"]


def test_an_issue_that_is_gone_is_none(github: Conversation, github_stand_in: GitHubStandIn) -> None:
    github_stand_in.issue = None
    assert github.issue(42, "claude/42", []) is None


@pytest.mark.parametrize("status", [0, 502])
def test_an_issue_is_asked_for_twice_like_all_that_is_only_read(
    github: Conversation, github_stand_in: GitHubStandIn, status: int
) -> None:
    github_stand_in.faults.append(("POST", "/graphql", status, False))
    assert github.issue(42, "claude/42", []) is not None
    github_stand_in.faults.append(("POST", "/graphql", status, False))
    with pytest.raises(GitHubUnavailableError):
        github.add_eyes("IC_1")


def test_an_issue_that_the_app_may_not_read_is_a_refusal(
    github: Conversation, github_stand_in: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"data": None, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]}
    monkeypatch.setattr(github_stand_in, "respond", lambda *_request: (200, refused))
    with pytest.raises(GitHubRequestError, match="not accessible"):
        github.issue(42, "claude/42", [])


def test_an_issue_of_a_deleted_account_without_a_text(github: Conversation, github_stand_in: GitHubStandIn) -> None:
    github_stand_in.issue = (github_stand_in.issue or {}) | {"user": None, "body": None}
    issue = github.issue(42, "claude/42", [])
    assert issue is not None
    assert (issue.author, issue.body, issue.is_open) == ("ghost", "", True)


def test_an_answer_that_is_not_as_documented_is_githubs_fault(
    github: Conversation, github_stand_in: GitHubStandIn
) -> None:
    github_stand_in.faults += [("POST", "/graphql", 200, False), ("GET", "permission", 200, False)]
    with pytest.raises(GitHubUnavailableError, match="not as documented"):
        github.issue(42, "claude/42", [])
    with pytest.raises(GitHubUnavailableError, match="not as documented"):
        github.has_write_permission("octo-dev")


def test_a_reaction_that_graphql_refuses_in_a_200_is_a_refusal(
    github: Conversation, github_stand_in: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"data": None, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a node"}]}
    monkeypatch.setattr(github_stand_in, "respond", lambda *_request: (200, refused))
    with pytest.raises(GitHubRequestError, match="Could not resolve to a node"):
        github.add_eyes(["IC_1"])

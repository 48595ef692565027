"""A repository's connection: which token it uses, and what becomes of a token that GitHub refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests.kit.app_key import app_key_pem, new_key_pem
from tests.kit.http_server import Response, serve_http

from cloud_agent.adapters.github.app_name import app_name
from cloud_agent.adapters.github.connection import GitHub, connect, connect_for_all
from cloud_agent.adapters.github.requests import LONG, SHORT, Patience
from cloud_agent.domain.errors import (
    CloudAgentError,
    ConfigurationError,
    GitHubRequestError,
    GitHubUnavailableError,
    RepositoryReadOnlyError,
)
from cloud_agent.domain.session.repository import GitHubRepository
from cloud_agent.settings import GitHubSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.kit.http_server import Request

RENAMED = "/repositories/7/issues/1/comments"


@dataclass
class Server:
    """A GitHub that mints numbered tokens and responds to everything else alike."""

    url: str = ""
    status: int = 201
    document: Any = field(default_factory=lambda: {"id": 5, "body": "Hello."})
    moved_to: str = RENAMED
    tokens: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)

    def respond(self, request: Request) -> Response:
        if request.path.endswith("/access_tokens"):
            self.tokens += 1
            return Response.of({"token": f"ghs_{self.tokens}", "expires_at": "2999-01-01T00:00:00Z"}, 201)
        self.requests.append((request.method, request.path))
        self.bearers.append(request.headers["Authorization"].removeprefix("Bearer "))
        if "/renamed/" in request.path:
            return Response.of({"message": "Moved"}, 307, {"Location": self.moved_to})
        return Response.of(self.document, self.status)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with serve_http(server.respond) as running:
        server.url = running.url
        yield server


@pytest.fixture
def settings(server: Server, put_secret: Callable[..., str], table: Table) -> GitHubSettings:
    arn = put_secret(json.dumps({"app_id": "1", "private_key": app_key_pem()}), "app")
    return GitHubSettings(sessions_table=table.name, github_api_url=server.url, github_secret_arn=arn)


@pytest.fixture
def open_(settings: GitHubSettings) -> Callable[..., GitHub]:
    ids = {"acme/lunch": 5, "acme/dinner": 6, "acme/renamed": 7}
    return lambda name="acme/lunch", via=connect_for_all, **options: via(
        settings, GitHubRepository(ids[name], name, 99), **options
    )


def test_the_apps_name_is_asked_for_once_in_a_worker(server: Server, settings: GitHubSettings) -> None:
    server.status, server.document = 200, {"slug": "lunch-agent"}
    assert {app_name(settings.github_api_url, settings.github_secret_arn) for _ in range(2)} == {"lunch-agent"}
    assert server.requests == [("GET", "/app")]


def test_an_app_that_github_does_not_know_is_a_fault_of_the_deployment(
    server: Server, settings: GitHubSettings
) -> None:
    server.status = 401
    with pytest.raises(ConfigurationError, match="check app_id"):
        app_name(settings.github_api_url, settings.github_secret_arn)


def test_a_personal_tokens_account_is_nobody_to_call_claude_by(server: Server, put_secret: Callable[..., str]) -> None:
    assert app_name(server.url, put_secret('{"token": "ghp_a-token"}', "personal")) == ""
    assert server.requests == []


def test_a_worker_uses_its_token_again(open_: Callable[..., GitHub], server: Server) -> None:
    for _ in range(2):
        open_().conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_1", "ghs_1"]


def test_a_new_worker_uses_the_token_that_another_was_given(
    open_: Callable[..., GitHub], server: Server, new_worker: Callable[[], None]
) -> None:
    open_().conversation.create_comment(1, "Hello.")
    new_worker()
    open_(patience=SHORT).conversation.create_comment(1, "Hello.")
    new_worker()
    open_("acme/dinner").conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_1", "ghs_1", "ghs_2"]


def test_a_shared_token_is_sealed_and_expires(open_: Callable[..., GitHub], table: Table) -> None:
    open_()
    (item,) = table.scan()["Items"]
    assert item["pk"] == "TOKEN#5"
    sealed: Any = item["sealed"]
    assert b"ghs_1" not in repr(item).encode() + bytes(sealed)
    assert item["expires_at"] == int(datetime(2999, 1, 1, tzinfo=UTC).timestamp())


def test_a_shared_token_opens_with_the_apps_own_key_alone(
    open_: Callable[..., GitHub], server: Server, settings: GitHubSettings, new_worker: Callable[[], None]
) -> None:
    open_()
    another = json.dumps({"app_id": "1", "private_key": new_key_pem()})
    boto3.client("secretsmanager").put_secret_value(SecretId=settings.github_secret_arn, SecretString=another)
    new_worker()
    open_().conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_2"]


def test_a_shared_token_is_of_its_own_repository_even_in_the_place_of_anothers(
    open_: Callable[..., GitHub], server: Server, table: Table, new_worker: Callable[[], None]
) -> None:
    open_("acme/lunch")
    open_("acme/dinner")
    lunch, dinner = sorted(table.scan()["Items"], key=lambda item: str(item["pk"]))
    table.put_item(Item=dinner | {"sealed": lunch["sealed"]})
    new_worker()
    open_("acme/dinner").conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_3"]


def test_a_function_that_may_only_read_the_table_uses_what_there_is_and_keeps_nothing(
    open_: Callable[..., GitHub], server: Server, table: Table, new_worker: Callable[[], None]
) -> None:
    open_(via=connect).conversation.create_comment(1, "Hello.")
    assert table.scan()["Items"] == []
    open_("acme/dinner")
    new_worker()
    open_("acme/dinner", via=connect).conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_1", "ghs_2"]


def test_a_token_that_github_refuses_is_replaced_for_all(
    open_: Callable[..., GitHub], server: Server, new_worker: Callable[[], None]
) -> None:
    open_()
    new_worker()
    server.status = 401
    with pytest.raises(ConfigurationError):
        open_().conversation.create_comment(1, "Hello.")
    server.status = 201
    open_().conversation.create_comment(1, "Hello.")
    new_worker()
    open_().conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_1", "ghs_2", "ghs_2"]


@pytest.mark.parametrize(("status", "error"), [(401, ConfigurationError), (403, RepositoryReadOnlyError)])
def test_a_token_that_github_refuses_is_not_used_again(
    open_: Callable[..., GitHub], server: Server, status: int, error: type[CloudAgentError]
) -> None:
    server.status = status
    with pytest.raises(error):
        open_().conversation.create_comment(1, "Hello.")
    server.status = 201
    open_().conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_1", "ghs_2"]


def test_a_github_that_is_down_costs_no_token(open_: Callable[..., GitHub], server: Server) -> None:
    server.status = 502
    with pytest.raises(GitHubUnavailableError):
        open_().conversation.create_comment(1, "Hello.")
    server.status = 201
    open_().conversation.create_comment(1, "Hello.")
    assert server.bearers == ["ghs_1", "ghs_1"]


@pytest.mark.parametrize("patience", [SHORT, LONG], ids=["webhook", "step"])
def test_a_renamed_repository_is_followed_to_its_new_name(
    open_: Callable[..., GitHub], server: Server, patience: Patience
) -> None:
    assert open_("acme/renamed", patience=patience).conversation.create_comment(1, "Hello.") == 5
    assert server.requests[-1] == ("POST", RENAMED)
    assert server.bearers == ["ghs_1", "ghs_1"]


@pytest.mark.parametrize(
    "leads_to",
    ["/repositories/70/issues/1/comments", "/repositories/5/issues/1/comments", "https://github.example.com/x", ""],
    ids=["a longer number", "another repository", "another site", "nowhere"],
)
def test_what_leads_elsewhere_is_not_followed(open_: Callable[..., GitHub], server: Server, leads_to: str) -> None:
    server.moved_to = leads_to
    with pytest.raises(GitHubRequestError, match="307"):
        open_("acme/renamed").conversation.create_comment(1, "Hello.")
    assert {path for _, path in server.requests} == {"/repos/acme/renamed/issues/1/comments"}


@pytest.mark.parametrize("document", [None, [], {}, {"id": "five"}])
def test_a_comment_without_an_id_is_githubs_fault(
    open_: Callable[..., GitHub], server: Server, document: object
) -> None:
    server.document = document
    with pytest.raises(GitHubUnavailableError, match="not as documented"):
        open_().conversation.create_comment(1, "Hello.")

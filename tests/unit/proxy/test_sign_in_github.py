"""What GitHub's responses mean, those too that the local GitHub does not give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from tests.kit.http_server import Response, serve_http

from cloud_agent_proxy.sign_in.github import (
    ClientCredentials,
    ClientRefusedError,
    CodeRefusedError,
    GitHub,
    GitHubAwayError,
    UserToken,
    UserTokenRefusedError,
)

if TYPE_CHECKING:
    from tests.kit.http_server import Request

CLIENT = ClientCredentials.model_validate({"client_id": "Iv23li0", "client_secret": "the client secret"})
REPOSITORY = json.dumps({"full_name": "acme/app"})
Responding = Callable[..., GitHub]


@pytest.fixture
def responding() -> Iterator[Responding]:
    """Start a GitHub that responds with this to whatever it is asked; a redirect leads to the path /moved."""
    with ExitStack() as servers:

        def start(status: int, body: str = "{}", moved: str = "", **headers: str) -> GitHub:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}

            def respond(request: Request) -> Response:
                is_moved = request.path == "/moved"
                return Response(200, moved.encode()) if is_moved else Response(status, body.encode(), fields)

            url = servers.enter_context(serve_http(respond)).url
            return GitHub(url, f"{url}/api/v3", CLIENT)

        yield start


async def test_a_repository_is_readable(responding: Responding) -> None:
    assert await responding(200, REPOSITORY).may_read("t", "acme/app")


async def test_a_renamed_repository_is_followed(responding: Responding) -> None:
    assert await responding(301, moved=REPOSITORY, Location="/moved").may_read("t", "acme/app")


@pytest.mark.parametrize("status", [403, 404, 451])
async def test_a_repository_is_not_readable(responding: Responding, status: int) -> None:
    assert not await responding(status, '{"message": "no"}').may_read("t", "acme/app")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, {}),
        (502, {}),
        (503, {}),
        (429, {}),
        (403, {"Retry_After": "60"}),
        (403, {"X_RateLimit_Remaining": "0"}),
        (302, {"Location": "/again"}),
        (304, {}),
        (418, {}),
    ],
)
async def test_without_a_response_nothing_is_sure(responding: Responding, status: int, headers: dict[str, str]) -> None:
    with pytest.raises(GitHubAwayError):
        await responding(status, **headers).may_read("t", "acme/app")


@pytest.mark.parametrize("body", ["<html>Sign in to the network first</html>", "[]", "{}", '{"full_name": 1}', ""])
async def test_a_200_that_is_no_repository_opens_nothing(responding: Responding, body: str) -> None:
    with pytest.raises(GitHubAwayError):
        await responding(200, body).may_read("t", "acme/app")


async def test_a_token_that_is_good_no_longer_is_told_from_a_refusal(responding: Responding) -> None:
    with pytest.raises(UserTokenRefusedError):
        await responding(401).may_read("t", "acme/app")
    with pytest.raises(UserTokenRefusedError):
        await responding(401).login("t")


@pytest.mark.parametrize(
    ("body", "lives"), [('{"access_token": "t", "expires_in": 28800}', 28_800), ('{"access_token": "t"}', None)]
)
async def test_a_code_becomes_a_token(responding: Responding, body: str, lives: int | None) -> None:
    assert UserToken("t", lives) == await responding(200, body).exchange("c", "v", "r")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, '{"error": "bad_verification_code"}', CodeRefusedError),
        (200, '{"error": "incorrect_client_credentials"}', ClientRefusedError),
        (200, '{"error": "redirect_uri_mismatch"}', ClientRefusedError),
        (404, '{"error": "Not Found"}', ClientRefusedError),
        (200, '{"token_type": "bearer"}', GitHubAwayError),
        (200, "access_token=t", GitHubAwayError),
        (500, "", GitHubAwayError),
    ],
)
async def test_a_code_becomes_none(responding: Responding, status: int, body: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await responding(status, body).exchange("a-code", "a-verifier", "r")
    assert "the client secret" not in str(raised.value)
    assert "a-code" not in str(raised.value)


async def test_a_github_that_cannot_be_reached_is_away() -> None:
    with pytest.raises(GitHubAwayError):
        await GitHub("http://127.0.0.1:9", "http://127.0.0.1:9", CLIENT).may_read("t", "acme/app")


def test_the_client_secret_is_not_shown() -> None:
    assert "the client secret" not in repr(CLIENT)

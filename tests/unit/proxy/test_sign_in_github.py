"""What GitHub's answers mean, those too that the local GitHub does not give."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cloud_agent_proxy.sign_in.github import (
    ClientCredentials,
    ClientRefusedError,
    CodeRefusedError,
    GitHub,
    GitHubAwayError,
    TokenRefusedError,
    UserToken,
)

CLIENT = ClientCredentials.model_validate({"client_id": "Iv23li0", "client_secret": "the client secret"})
REPOSITORY = json.dumps({"full_name": "acme/app"})
Answers = Callable[..., GitHub]


@pytest.fixture
def answering() -> Iterator[Answers]:
    """Return a GitHub that gives this answer to whatever it is asked; a 302 leads to the path /moved."""
    servers = []

    def start(status: int, body: str = "{}", moved: str = "", **headers: str) -> GitHub:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_moved = self.path == "/moved"
                content = (moved if is_moved else body).encode()
                self.send_response(200 if is_moved else status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))
        url = f"http://127.0.0.1:{server.server_port}"
        return GitHub(url, f"{url}/api/v3", CLIENT)

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_a_repository_is_readable(answering: Answers) -> None:
    assert await answering(200, REPOSITORY).may_read("t", "acme/app")


async def test_a_renamed_repository_is_followed(answering: Answers) -> None:
    assert await answering(301, moved=REPOSITORY, Location="/moved").may_read("t", "acme/app")


@pytest.mark.parametrize("status", [403, 404, 451])
async def test_a_repository_is_not_readable(answering: Answers, status: int) -> None:
    assert not await answering(status, '{"message": "no"}').may_read("t", "acme/app")


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
async def test_without_an_answer_nothing_is_known(answering: Answers, status: int, headers: dict[str, str]) -> None:
    with pytest.raises(GitHubAwayError):
        await answering(status, **headers).may_read("t", "acme/app")


@pytest.mark.parametrize("body", ["<html>Sign in to the network first</html>", "[]", "{}", '{"full_name": 1}', ""])
async def test_a_200_that_is_no_repository_opens_nothing(answering: Answers, body: str) -> None:
    with pytest.raises(GitHubAwayError):
        await answering(200, body).may_read("t", "acme/app")


async def test_a_token_that_is_good_no_longer_is_told_from_a_refusal(answering: Answers) -> None:
    with pytest.raises(TokenRefusedError):
        await answering(401).may_read("t", "acme/app")
    with pytest.raises(TokenRefusedError):
        await answering(401).login("t")


@pytest.mark.parametrize(
    ("body", "lives"), [('{"access_token": "t", "expires_in": 28800}', 28_800), ('{"access_token": "t"}', None)]
)
async def test_a_code_becomes_a_token(answering: Answers, body: str, lives: int | None) -> None:
    assert UserToken("t", lives) == await answering(200, body).exchange("c", "v", "r")


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
async def test_a_code_becomes_none(answering: Answers, status: int, body: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await answering(status, body).exchange("a-code", "a-verifier", "r")
    assert "the client secret" not in str(raised.value)
    assert "a-code" not in str(raised.value)


async def test_a_github_that_cannot_be_reached_is_away() -> None:
    with pytest.raises(GitHubAwayError):
        await GitHub("http://127.0.0.1:9", "http://127.0.0.1:9", CLIENT).may_read("t", "acme/app")


def test_the_client_secret_is_not_shown() -> None:
    assert "the client secret" not in repr(CLIENT)

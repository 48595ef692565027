"""A revocation that fails is logged, and holds nobody up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tests.kit.http_server import NoResponse, Response, serve_http

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git import tokens as module
from cloud_agent_runner.git.tokens import GitTokens

if TYPE_CHECKING:
    from tests.kit.http_server import Respond


def tokens(url: str | None) -> GitTokens:
    async def source() -> GitToken:
        return GitToken(username="x-access-token", token=SecretStr("ghs_the-token"), revocation_url=url)

    return GitTokens(source, source)


async def test_a_token_is_revoked_once_and_with_itself() -> None:
    with serve_http(Response(204)) as github:
        handed_out = tokens(f"{github.url}/installation/token")
        token = await handed_out.to_push()
        handed_out.release(token)
        handed_out.release(token)
        await handed_out.aclose()
    shown = [(request.method, request.path, request.headers["Authorization"]) for request in github.requests]
    assert shown == [("DELETE", "/installation/token", "Bearer ghs_the-token")]


async def test_a_token_stays_good_while_others_are_revoked() -> None:
    values = iter(["of a turn", "of the background"])

    async def source() -> GitToken:
        return GitToken(username="x", token=SecretStr(next(values)), revocation_url=f"{github.url}/installation/token")

    with serve_http(Response(204)) as github:
        handed_out = GitTokens(source, source)
        of_a_turn, _ = await handed_out.to_push(), await handed_out.to_push()
        handed_out.release(of_a_turn)
        while not github.requests:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        assert [request.headers["Authorization"] for request in github.requests] == ["Bearer of a turn"]
        await handed_out.aclose()


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response.of({"message": "Bad credentials"}, 401), "HTTP 401"),
        (Response(503), "HTTP 503"),
        (NoResponse.CLOSE, "RemoteProtocolError"),
    ],
)
async def test_a_failed_revocation_is_logged_without_the_token(
    response: Respond | Response | NoResponse, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serve_http(response) as github:
        handed_out = tokens(f"{github.url}/installation/token")
        await handed_out.to_push()
        await handed_out.aclose()
    (record,) = caplog.records
    assert (record.message, record.__dict__["reason"]) == ("git token not revoked", reason)
    assert "the-token" not in str(record.__dict__)


async def test_the_end_of_the_session_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LAST_REVOCATIONS_SECONDS", 0.1)
    with serve_http(NoResponse.HANG) as github:
        handed_out = tokens(f"{github.url}/installation/token")
        await handed_out.to_push()
        async with asyncio.timeout(5):
            await handed_out.aclose()

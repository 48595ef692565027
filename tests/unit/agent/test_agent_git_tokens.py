"""A token is revoked when it has been used, whatever ends that; where it fails, that is logged and holds nobody up."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tests.kit.http_server import NoResponse, Response, serve_http

from cloud_agent_runner.agent_api_messages import GitToken
from cloud_agent_runner.git import tokens as module
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import GitWorkspace
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

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


async def test_a_token_is_revoked_if_the_session_ends_during_its_push(tmp_path: Path) -> None:
    remote, begun, may_end = tmp_path / "remote.git", tmp_path / "begun", tmp_path / "may-end"
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(remote), at=tmp_path)
    _git("init", "--quiet", "--initial-branch=main", str(tmp_path / "clone"), at=tmp_path)
    _git("commit", "--quiet", "--allow-empty", "-m", "Begin", at=tmp_path / "clone")
    _git("push", "--quiet", str(remote), "main", "main:claude/42", at=tmp_path / "clone")
    hook = remote / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\n: >'{begun}'\nwhile [ ! -e '{may_end}' ]; do sleep 0.05; done\n")
    hook.chmod(0o700)
    (tmp_path / "work").mkdir()
    with serve_http(Response(204)) as github:
        handed_out = tokens(f"{github.url}/installation/token")
        user, branch = WorkspaceUser(tmp_path / "work", None), SessionBranch(str(remote), "claude/42")
        workspace = await GitWorkspace.clone(tmp_path / "work", user, branch, handed_out)
        (workspace.work_tree / "new.txt").write_text("new")
        publishing = asyncio.create_task(workspace.publish())
        try:
            while not begun.exists():  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
            assert github.requests == []
            publishing.cancel()
        finally:
            may_end.touch()
        with pytest.raises(asyncio.CancelledError):
            await publishing
        await handed_out.aclose()
        assert [request.method for request in github.requests] == ["DELETE"]


def _git(*arguments: str, at: Path) -> None:
    identity = ("-c", "user.name=pat", "-c", "user.email=pat@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=at, check=True)

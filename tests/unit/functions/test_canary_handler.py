"""The canary's probe: which responses count, who it poses as, and what its row says."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.http_server import Response, serve_http

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.domain.session.canary import CANARY_ID
from cloud_agent.publisher import handler as publisher
from cloud_agent_doctor.canary import handler as canary
from cloud_agent_proxy.access.keys import AccessKeys
from cloud_agent_proxy.access.tokens import TokenRefusedError, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.kit.http_server import HttpServer
    from tests.unit.functions.aws_stand_in import Ecs

KEYS = AccessKeys(signing_key="a-signing-key-of-32-characters-or-more")


@pytest.fixture
def sessions(environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    """What responds by the sessions' public names."""
    monkeypatch.setattr(canary, "_PAUSE_SECONDS", 0)
    with serve_http(Response(200, b"claude-cloud-agent canary\n")) as server:
        environment(UAT_URL=f"http://uat.localhost:{server.port}")
        yield server


@pytest.fixture
def probe(
    sessions: HttpServer,
    ecs: Ecs,
    sample: Callable[[str], dict[str, Any]],
    context: Any,  # noqa: ANN401 - the handler's context
) -> Callable[[], dict[str, Any]]:
    """One run of the function, with the canary's task at 10.0.2.7."""
    ecs.add("canary", "ecs-svc/1", 1, "10.0.2.7")
    ecs.tasks[-1]["group"] = "service:canary"
    return lambda: dict(canary.handler(sample("canary.json"), context))


def test_the_canarys_own_body_says_that_the_path_is_healthy(probe: Callable[[], dict[str, Any]], table: Table) -> None:
    assert probe() == {"reached": True, "reason": ""}
    row = table.get_item(Key=session_key(CANARY_ID))["Item"]
    assert (row["status"], row["ip"], row["port"]) == ("RUNNING", "10.0.2.7", 3000)


def test_it_comes_as_one_who_was_let_into_the_canary_and_nowhere_else(
    probe: Callable[[], dict[str, Any]], sessions: HttpServer
) -> None:
    probe()
    (request,) = sessions.requests
    assert request.headers["Host"] == f"00000000.uat.localhost:{sessions.port}"
    name, _, token = request.headers["Cookie"].partition("=")
    assert name == "__Host-uat-access"
    Tokens(KEYS).verify_access(token, CANARY_ID, longest_seconds=60)
    with pytest.raises(TokenRefusedError):
        Tokens(KEYS).verify_access(token, "09e22a8b")


def test_where_everybody_may_see_sessions_it_comes_as_anybody(
    probe: Callable[[], dict[str, Any]], sessions: HttpServer, environment: Callable[..., None]
) -> None:
    environment(UAT_ACCESS="public")
    assert probe()["reached"]
    assert "Cookie" not in sessions.requests[0].headers


@pytest.mark.parametrize(("status", "text"), [(502, b"claude-cloud-agent canary\n"), (200, b"Another project")])
def test_any_other_answer_is_none(
    probe: Callable[[], dict[str, Any]], sessions: HttpServer, status: int, text: bytes
) -> None:
    sessions.respond = Response(status, text)
    result = probe()
    assert not result["reached"]
    assert f"responded with {status}" in result["reason"]
    assert len(sessions.requests) == 3, "the proxy may take 2 s to follow the row"


def test_a_name_that_leads_nowhere_is_reported(
    probe: Callable[[], dict[str, Any]], environment: Callable[..., None]
) -> None:
    environment(UAT_URL="http://uat.localhost:9")
    result = probe()
    assert not result["reached"]
    assert "http://00000000.uat.localhost:9: connection refused" in result["reason"]


def test_without_its_task_there_is_nothing_to_probe(
    probe: Callable[[], dict[str, Any]], ecs: Ecs, sessions: HttpServer
) -> None:
    ecs.tasks.clear()
    assert probe() == {"reached": False, "reason": "The service canary has no task that is running."}
    assert not sessions.requests


def test_its_row_is_no_news_for_a_pull_request() -> None:
    keys = {name: {"S": value} for name, value in session_key(CANARY_ID).items()}
    changes = publisher.changes_of([{"eventName": "MODIFY", "dynamodb": {"Keys": keys}}])
    assert not changes.sessions

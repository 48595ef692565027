"""The way to DynamoDB when something on it fails: whose credentials, how many attempts, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import ValidationError

from cloud_agent_proxy.dynamodb import dynamodb_client
from cloud_agent_proxy.sessions_table import SessionsTable, TableUnavailableError
from cloud_agent_proxy.settings import Platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Answer = Callable[[httpx.Request], httpx.Response]

ID = "09e22a8b"
VISIT = datetime(2026, 11, 22, 10, tzinfo=UTC)
ROLE = {
    "AccessKeyId": "ASIAROLE",
    "SecretAccessKey": "role-secret",
    "Token": "role-token",
    "Expiration": "2099-01-01T00:00:00Z",
}


def error(status: int, name: str = "") -> httpx.Response:
    return httpx.Response(status, json={"__type": f"com.amazonaws.dynamodb.v20120810#{name}", "message": "no"})


class Network:
    """Answers in DynamoDB's and the task role's place; keeps what was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.dynamodb: Answer = lambda _: httpx.Response(200, json={})
        self.role: Answer = lambda _: httpx.Response(200, json=ROLE)
        self.role_may_answer = asyncio.Event()
        self.role_may_answer.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "POST":
            return self.dynamodb(request)
        await self.role_may_answer.wait()
        return self.role(request)

    def asked(self) -> Counter[str]:
        return Counter(request.url.host for request in self.requests)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a task without a role."""
    for name in (
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"),
        *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return monkeypatch


@pytest.fixture
def user(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment with credentials in it."""
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIAUSER")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "user-secret")
    return environment


@pytest.fixture
def fargate(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    environment.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/0a-0b")
    return environment


@contextlib.asynccontextmanager
async def table(network: Network) -> AsyncIterator[SessionsTable]:
    async with dynamodb_client(Platform(), httpx.MockTransport(network)) as client:
        yield SessionsTable("sessions", client)


@pytest.mark.usefixtures("fargate")
async def test_on_fargate_a_call_is_signed_with_the_task_roles_credentials_asked_for_once(network: Network) -> None:
    async with table(network) as sessions:
        for _ in range(3):
            assert await sessions.get(ID) is None
    assert str(network.requests[0].url) == "http://169.254.170.2/v2/credentials/0a-0b"
    assert Counter({"169.254.170.2": 1, "dynamodb.eu-west-1.amazonaws.com": 3}) == network.asked()
    headers = network.requests[-1].headers
    assert headers["X-Amz-Security-Token"] == "role-token"
    assert "Credential=ASIAROLE/" in headers["Authorization"]
    assert "/eu-west-1/dynamodb/aws4_request" in headers["Authorization"]


async def test_the_embedded_ecs_gives_credentials_to_the_bearer_of_the_tasks_token(
    environment: pytest.MonkeyPatch, network: Network
) -> None:
    environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:4566/v2/credentials/0a-0b")
    environment.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "task-token")
    async with table(network) as sessions:
        await sessions.get(ID)
    assert str(network.requests[0].url) == "http://127.0.0.1:4566/v2/credentials/0a-0b"
    assert network.requests[0].headers["Authorization"] == "task-token"
    assert "Credential=ASIAROLE/" in network.requests[1].headers["Authorization"]


async def test_credentials_of_the_environment_come_first(user: pytest.MonkeyPatch, network: Network) -> None:
    user.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/0a-0b")
    async with table(network) as sessions:
        await sessions.get(ID)
    (request,) = network.requests
    assert "Credential=AKIAUSER/" in request.headers["Authorization"]


@pytest.mark.usefixtures("environment")
async def test_without_credentials_the_table_is_away(network: Network) -> None:
    async with table(network) as sessions:
        with pytest.raises(TableUnavailableError, match=r"GetItem on table sessions: NoCredentialsFound"):
            await sessions.get(ID)
    assert network.requests == []


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "https://dynamodb.eu-west-1.amazonaws.com/"),
        ({"AWS_ENDPOINT_URL": ""}, "https://dynamodb.eu-west-1.amazonaws.com/"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "http://127.0.0.1:4566/"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"},
            "http://127.0.0.1:8000/",
        ),
    ],
)
async def test_the_endpoint_is_the_one_the_environment_names(
    user: pytest.MonkeyPatch, network: Network, variables: dict[str, str], url: str
) -> None:
    for name, value in variables.items():
        user.setenv(name, value)
    async with table(network) as sessions:
        await sessions.get(ID)
    assert url == str(network.requests[0].url)


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4566"])
async def test_the_signature_is_the_one_aws_calculates_from_what_was_sent(
    user: pytest.MonkeyPatch, network: Network, endpoint: str
) -> None:
    user.setenv("AWS_ENDPOINT_URL", endpoint)
    async with table(network) as sessions:
        await sessions.get(ID)
    (sent,) = network.requests
    scheme, _, fields = sent.headers["Authorization"].partition(" ")
    told = dict(field.strip().split("=", 1) for field in fields.split(","))
    headers = {name: sent.headers[name] for name in told["SignedHeaders"].split(";")}
    request = AWSRequest("POST", str(sent.url), headers=headers, data=sent.content)
    request.context["timestamp"] = sent.headers["X-Amz-Date"]
    aws = SigV4Auth(Credentials("AKIAUSER", "user-secret"), "dynamodb", "eu-west-1")
    text = aws.string_to_sign(request, aws.canonical_request(request))
    assert ("AWS4-HMAC-SHA256", aws.signature(text, request)) == (scheme, told["Signature"])


async def test_the_region_has_two_names_and_must_be_told(user: pytest.MonkeyPatch) -> None:
    user.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert Platform().region == "eu-west-1"
    user.delenv("AWS_REGION")
    assert Platform().region == "eu-central-1"
    user.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ValidationError, match="AWS_REGION"):
        Platform()


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("2 s are over", request=request)


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    ("answer", "attempts"),
    [
        (refused, 2),
        (silent, 2),
        (lambda _: error(500), 2),
        (lambda _: error(503), 2),
        (lambda _: error(400, "ThrottlingException"), 2),
        (lambda _: error(400, "ProvisionedThroughputExceededException"), 2),
        (lambda _: error(400, "AccessDeniedException"), 1),
        (lambda _: error(400, "ResourceNotFoundException"), 1),
        (lambda _: httpx.Response(502, text="<html>"), 1),
        (lambda _: httpx.Response(200, text="<html>"), 1),
    ],
)
async def test_a_table_that_does_not_answer_is_away_after_as_many_attempts_as_make_sense(
    network: Network, answer: Answer, attempts: int
) -> None:
    network.dynamodb = answer
    async with table(network) as sessions:
        for call in (sessions.get(ID), sessions.get_many([ID]), sessions.note_visit(ID, VISIT)):
            network.requests.clear()
            with pytest.raises(TableUnavailableError, match="Item on table sessions: "):
                await call
            assert attempts == len(network.requests)


@pytest.mark.usefixtures("user")
async def test_what_succeeds_at_the_second_attempt_has_succeeded(network: Network) -> None:
    answers = iter([error(500), httpx.Response(200, json={})])
    network.dynamodb = lambda _: next(answers)
    async with table(network) as sessions:
        assert await sessions.get(ID) is None


@pytest.mark.usefixtures("user")
async def test_a_session_left_unprocessed_is_missing_from_the_answer(network: Network) -> None:
    key = {"pk": {"S": "SESSION#0000000a"}, "sk": {"S": "SESSION"}}
    answer = {"Responses": {"sessions": []}, "UnprocessedKeys": {"sessions": {"Keys": [key]}}}
    network.dynamodb = lambda _: httpx.Response(200, json=answer)
    async with table(network) as sessions:
        assert await sessions.get_many(["0000000a", "0000000b"]) == {"0000000b": None}


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("attribute", ["last_visited_at", "last_watched_at"])
async def test_a_visit_asks_for_nothing_back_and_names_only_what_the_tasks_role_may_touch(
    network: Network, attribute: str
) -> None:
    async with table(network) as sessions:
        note = sessions.note_visit if attribute == "last_visited_at" else sessions.note_watching
        await note(ID, VISIT)
    sent: dict[str, Any] = json.loads(network.requests[0].content)
    assert {"pk": {"S": f"SESSION#{ID}"}, "sk": {"S": "SESSION"}} == sent["Key"]
    assert sent["ReturnValues"] == "NONE"
    assert {"status", attribute} == set(sent["ExpressionAttributeNames"].values())


@pytest.mark.parametrize(
    "answer",
    [refused, silent, lambda _: error(403), lambda _: httpx.Response(200, json={}), lambda _: httpx.Response(200)],
)
async def test_a_task_role_that_cannot_be_had_is_a_table_that_is_away_and_no_token_is_told(
    fargate: pytest.MonkeyPatch, network: Network, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    fargate.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "task-token")
    caplog.set_level(logging.INFO)
    network.role = answer
    async with table(network) as sessions:
        with pytest.raises(TableUnavailableError, match="GetItem on table sessions: ") as caught:
            await sessions.get(ID)
        assert "task-token" not in caplog.text + str(caught.value)
        network.role = lambda _: httpx.Response(200, json=ROLE)
        assert await sessions.get(ID) is None


@pytest.mark.usefixtures("fargate")
async def test_who_gives_up_waiting_for_credentials_does_not_take_them_from_the_others(network: Network) -> None:
    network.role_may_answer.clear()
    async with table(network) as sessions:
        impatient, patient = asyncio.create_task(sessions.get(ID)), asyncio.create_task(sessions.get(ID))
        async with asyncio.timeout(5):
            while not network.requests:  # noqa: ASYNC110 - another task asks
                await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])
        network.role_may_answer.set()
        assert await patient is None
    assert network.asked()["169.254.170.2"] == 1

"""The functions' surroundings: DynamoDB and Secrets Manager by moto; Step Functions, ECS and GitHub as small servers.

What moto cannot do is stood in for on the wire: the functions' real clients talk to it over HTTP.
"""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import io
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import boto3
import pytest
from moto import mock_aws
from tests.kit.session_row_contract import row_schema
from tests.kit.sessions import REPOSITORY_ID, a_row
from tests.kit.shared_clients import SharedClients
from tests.unit.functions.aws_stand_in import CLUSTER_ARN, TASK_FAMILY, AwsService, Ecs, StepFunctions, serve_aws
from tests.unit.functions.github_stand_in import GitHubStandIn, serve_github

from cloud_agent import worker
from cloud_agent.adapters.table.keys import lock_key, pull_key
from cloud_agent.observability import logger, metrics
from cloud_agent.webhook import handler as webhook
from cloud_agent.webhook.signature import sign
from cloud_agent.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.service_resource import Bucket

EVENTS = Path(__file__).parents[3] / "events"
STATE_MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:test-session"
SIGNING_KEY = "a-signing-key-of-32-characters-or-more"
WEBHOOK_SECRET = "It's a Secret to Everybody"  # the one that signs the samples in events/


@dataclass(frozen=True)
class Context:
    """What Lambda passes beside the event."""

    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    remaining_milliseconds: int = 10_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_milliseconds


@pytest.fixture(scope="session")
def aws_server() -> Iterator[tuple[str, dict[str, AwsService]]]:
    with serve_aws() as server:
        yield server


@pytest.fixture(scope="session")
def github_server() -> Iterator[tuple[str, list[GitHubStandIn]]]:
    with serve_github() as server:
        yield server


@pytest.fixture
def github_stand_in(
    github_server: tuple[str, list[GitHubStandIn]],
    environment: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
) -> GitHubStandIn:
    """A GitHub with the sample's issue, labelled; the functions' environment leads to it."""
    url, standing = github_server
    issue = sample("github/issues.labeled.json")["issue"] | {"labels": [{"name": "claude-dev"}]}
    standing.append(GitHubStandIn(url, issue=issue))
    environment(GITHUB_API_URL=url)
    return standing[-1]


@pytest.fixture
def step_functions(aws_server: tuple[str, dict[str, AwsService]]) -> StepFunctions:
    service = aws_server[1]["AWSStepFunctions"] = StepFunctions()
    return service


@pytest.fixture
def without_step_functions() -> Callable[[], AbstractContextManager[None]]:
    """A worker, until the block is left, that does not reach Step Functions."""

    @contextmanager
    def cut_off() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as broken:
            broken.setenv("AWS_ENDPOINT_URL_SFN", "http://127.0.0.1:9")
            broken.setenv("AWS_MAX_ATTEMPTS", "1")
            broken.setattr(worker, "current", Worker())
            yield

    return cut_off


@pytest.fixture
def ecs(aws_server: tuple[str, dict[str, AwsService]]) -> Ecs:
    service = aws_server[1]["AmazonEC2ContainerServiceV20141113"] = Ecs()
    return service


@pytest.fixture(scope="module")
def account(aws_server: tuple[str, dict[str, AwsService]]) -> Iterator[None]:
    """An account, in which every client of the functions ends up. A module's tests share it and clear up in it."""
    with pytest.MonkeyPatch.context() as variables:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            variables.setenv(name, "testing")
        variables.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            variables.delenv(name, raising=False)
        variables.setenv("AWS_ENDPOINT_URL_SFN", aws_server[0])
        variables.setenv("AWS_ENDPOINT_URL_ECS", aws_server[0])
        with mock_aws():
            variables.setattr(boto3, "DEFAULT_SESSION", SharedClients())
            yield


@pytest.fixture(autouse=True)
def new_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Each test is a worker of its own; called, this begins one more, as the next cold start does."""

    def begin() -> None:
        monkeypatch.setattr(worker, "current", Worker())

    begin()
    return begin


@pytest.fixture
def aws(account: None) -> None:
    """The account."""


@pytest.fixture(scope="module")
def sessions_table(account: None) -> Iterator[Table]:
    yield from _table("sessions", "pk", "sk")


@pytest.fixture
def table(sessions_table: Table) -> Iterator[Table]:
    """The empty sessions table. A test fails if it leaves a session's row with an attribute that the contract lacks."""
    yield sessions_table
    rows = _take_all(sessions_table, "pk", "sk")
    sessions = [row for row in rows if row["sk"] == "SESSION" and str(row["pk"]).startswith("SESSION#")]
    # Names alone: a test puts only as much of a row as it is about, and with values of its own.
    assert {name for row in sessions for name in row} - set(row_schema()["properties"]) == set()


@pytest.fixture(scope="module")
def module_idempotency_table(account: None) -> Iterator[Table]:
    yield from _table("idempotency", "id")


@pytest.fixture
def idempotency_table(module_idempotency_table: Table) -> Iterator[Table]:
    """The empty table of what has been handled."""
    yield module_idempotency_table
    _take_all(module_idempotency_table, "id")


def _table(name: str, *key: str) -> Iterator[Table]:
    kinds: tuple[Literal["HASH", "RANGE"], ...] = ("HASH", "RANGE")
    created = boto3.resource("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in key],
        KeySchema=[{"AttributeName": attribute, "KeyType": kind} for attribute, kind in zip(key, kinds, strict=False)],
    )
    yield created
    created.delete()


def _take_all(table: Table, *key: str) -> list[dict[str, Any]]:
    """The table's rows, which it doesn't have any longer."""
    pages = table.meta.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    rows = [row for page in pages for row in page["Items"]]
    if rows:
        with table.batch_writer() as writer:
            for row in rows:
                writer.delete_item(Key={name: row[name] for name in key})
    return rows


@pytest.fixture
def bucket(aws: None) -> Iterator[Bucket]:
    """The empty bucket of what sessions leave."""
    created = boto3.resource("s3").create_bucket(Bucket="artifacts")
    yield created
    created.objects.all().delete()
    created.delete()


@pytest.fixture
def put_secret(aws: None) -> Iterator[Callable[[str], str]]:
    """Store a secret's value and return its ARN."""
    client = boto3.client("secretsmanager")
    stored: list[str] = []

    def put(value: str, name: str = "github") -> str:
        stored.append(client.create_secret(Name=name, SecretString=value)["ARN"])
        return stored[-1]

    yield put
    for arn in stored:
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture(scope="module")
def stack_secrets(account: None) -> Iterator[dict[str, str]]:
    """The ARN of each secret of the stack. A test that wants another value stores a secret of its own."""
    values = {
        "WEBHOOK_SECRET_ARN": WEBHOOK_SECRET,
        "GITHUB_SECRET_ARN": '{"token": "ghp_a-personal-token"}',
        "UAT_ACCESS_KEYS_ARN": json.dumps({"signing_key": SIGNING_KEY, "verifying_key": ""}),
        "CHAT_WEBHOOKS_ARN": "{}",
    }
    client = boto3.client("secretsmanager")
    stored = {
        name: client.create_secret(Name=f"stack/{name}", SecretString=value)["ARN"] for name, value in values.items()
    }
    yield stored
    for arn in stored.values():
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch,
    new_worker: Callable[[], None],
    table: Table,
    idempotency_table: Table,
    stack_secrets: dict[str, str],
) -> Callable[..., None]:
    """A function's environment as template.yaml gives it; called, it changes variables of it."""
    # Powertools read its variables when the module was imported, whoever imported it first.
    monkeypatch.setattr(metrics.provider, "namespace", "ClaudeCloudAgent")

    def change(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        new_worker()

    change(
        SESSIONS_TABLE=table.name,
        STACK_NAME="claude-cloud-agent",
        CANARY_SERVICE="canary",
        IDEMPOTENCY_TABLE=idempotency_table.name,
        STATE_MACHINE_ARN=STATE_MACHINE_ARN,
        **stack_secrets,
        TRIGGER_LABEL="claude-dev",
        STAGING_TRIGGER_LABEL="",
        COMMENT_TRIGGER="all",
        TRACKER_KEYS="",
        TRACKER_URL="",
        ALLOWED_BOTS="",
        GITHUB_API_URL="http://127.0.0.1:9",
        CLUSTER_ARN=CLUSTER_ARN,
        UAT_URL="https://uat.example.com",
        UAT_ACCESS="link",
        ALLOW_WORKFLOW_CHANGES="false",
        AGENT_LOG_GROUP="/claude-cloud-agent/agent",
        MAX_SESSION_AGE_SECONDS="28800",
        NOTIFICATIONS_TOPIC_ARN="arn:aws:sns:us-east-1:123456789012:of-nobody",
        AGENT_TASK_FAMILY=TASK_FAMILY,
        STAGING_AGENT_TASK_FAMILY="claude-cloud-agent-staging-agent",
        ENVIRONMENT_SECRET_PREFIX="claude-cloud-agent",
        ARTIFACTS_BUCKET="artifacts",
        DEPENDENCY_CACHE_DAYS="7",
        UNPUBLISHED_WORK_DAYS="30",
        IDLE_MINUTES="60",
        MAX_BUDGET_USD="10",
        MAX_SESSIONS="20",
        MAX_SESSIONS_PER_REPOSITORY="5",
        MAX_TURNS="200",
        MODEL_PROVIDER="anthropic",
        ANTHROPIC_BASE_URL="https://api.anthropic.com",
        CLAUDE_MODEL="claude-sonnet-5-5",
        ALLOWED_MODELS="claude-sonnet-*,claude-opus-*",
    )
    return change


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def sample() -> Callable[[str], dict[str, Any]]:
    """A fresh copy of a sample under events/, by its path."""

    def read(path: str) -> dict[str, Any]:
        return dict(json.loads((EVENTS / path).read_text()))

    return read


@pytest.fixture
def deliver_event(
    github_stand_in: GitHubStandIn, sample: Callable[[str], dict[str, Any]], context: Context
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Send a payload to the webhook as GitHub would, under a delivery's id; returns status and answer."""

    def send(event_name: str, payload: dict[str, Any], delivery: str = "d-1") -> tuple[int, dict[str, Any]]:
        event, body = sample("webhook/plain_body.json"), json.dumps(payload)
        headers = {"x-hub-signature-256": sign(WEBHOOK_SECRET, body.encode()), "x-github-event": event_name}
        event |= {"body": body, "headers": event["headers"] | headers | {"x-github-delivery": delivery}}
        answer = webhook.handler(event, context)
        return int(answer["statusCode"]), json.loads(answer["body"])

    return send


@pytest.fixture
def put_session(table: Table) -> Callable[..., None]:
    """Put a session of issue 42 with pull request 43 as a running one, or as told; a live one holds the lock."""

    def put(session_id: str = "09e22a8b", **attributes: Any) -> None:  # noqa: ANN401 - any attribute of a row
        row = a_row(session_id, **{"pull_number": 43, **attributes})
        table.put_item(Item=row)
        table.put_item(Item=pull_key(REPOSITORY_ID, 43) | {"session_id": session_id})
        if row["status"] in {"QUEUED", "STARTING", "RUNNING"}:
            lock = lock_key(REPOSITORY_ID, row["issue_number"])
            table.put_item(Item={**lock, "session_id": session_id, "expires_at": int(time.time()) + 60})

    return put


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Everything the functions log, at every level."""
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    monkeypatch.setattr(logger._logger, "level", 10)  # noqa: SLF001 - Powertools has no way to set it for a while
    return written


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[list[float]]]:
    """The values of metrics, by their names, that CloudWatch was told since this was last asked."""

    def values(*names: str) -> list[list[float]]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
        return [[value for line in lines for value in line.get(name, [])] for name in names]

    return values

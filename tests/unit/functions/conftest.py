"""The functions' surroundings: DynamoDB and Secrets Manager by moto, Step Functions and ECS as small servers.

moto runs neither a wait with a task token nor a Fargate task with an address, so these two services are stood in
for on the wire: the functions' real clients talk to them over HTTP.
"""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

import http.server
import io
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_lambda_powertools.utilities import parameters
from moto import mock_aws
from tests import fresh_worker

from cloud_agent import settings
from cloud_agent.adapters.sessions_table import lock_key, pull_key, session_key
from cloud_agent.domain.signature import sign
from cloud_agent.entrypoints import webhook
from cloud_agent.observability import logger, metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mypy_boto3_dynamodb.service_resource import Table

EVENTS = Path(__file__).parents[3] / "events"
STATE_MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:test-session"
CLUSTER_ARN = "arn:aws:ecs:us-east-1:123456789012:cluster/test"
TASK_FAMILY = "claude-cloud-agent-agent"
SIGNING_KEY = "a-signing-key-of-32-characters-or-more"
WEBHOOK_SECRET = "It's a Secret to Everybody"  # the one that signs the samples in events/


class AwsError(Exception):
    """What an AWS service answers in place of a result."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AwsService:
    """The wire protocol of an AWS JSON service: one method for each operation, named as the operation."""

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self, operation)(**request)
        return answer


@dataclass
class StepFunctions(AwsService):
    """Keeps what was started and answered; a token in `late` is refused with that error.

    `statuses` are those of executions by their ARN; `listed`, when set, is what the list shows, as it may lag.
    """

    statuses: dict[str, str] = field(default_factory=dict)
    listed: list[str] | None = None
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    succeeded: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    heartbeats: list[str] = field(default_factory=list)
    late: dict[str, str] = field(default_factory=dict)

    def StartExecution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N802, N803 - AWS's names
        if name in self.executions:
            raise AwsError("ExecutionAlreadyExists")
        self.executions[name] = json.loads(input)
        return {"executionArn": f"{stateMachineArn}:{name}".replace("stateMachine", "execution"), "startDate": 0}

    def SendTaskSuccess(self, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N802, N803 - AWS's names
        self._wait_for(taskToken)
        assert len(output.encode()) <= 262_144, "ValidationException: the output is too long"
        self.succeeded.append((taskToken, json.loads(output)))
        return {}

    def SendTaskFailure(self, taskToken: str, error: str, cause: str) -> dict[str, Any]:  # noqa: N802, N803 - AWS's names
        self._wait_for(taskToken)
        assert len(error) <= 256, "ValidationException: the error is too long"
        assert len(cause) <= 32_768, "ValidationException: the cause is too long"
        self.failed.append((taskToken, error, cause))
        return {}

    def SendTaskHeartbeat(self, taskToken: str) -> dict[str, Any]:  # noqa: N802, N803 - AWS's names
        self._wait_for(taskToken)
        self.heartbeats.append(taskToken)
        return {}

    def ListExecutions(  # noqa: N802 - AWS's names
        self,
        stateMachineArn: str,  # noqa: N803 - as above
        statusFilter: str,  # noqa: N803 - as above
        maxResults: int = 100,  # noqa: N803 - as above
        nextToken: str = "0",  # noqa: N803 - as above
    ) -> dict[str, Any]:
        arns = self.listed or [arn for arn, status in self.statuses.items() if statusFilter == status]
        own = [arn for arn in arns if arn.startswith(stateMachineArn.replace("stateMachine", "execution"))]
        page = [{"executionArn": arn} for arn in own[int(nextToken) : int(nextToken) + maxResults]]
        more = int(nextToken) + maxResults < len(own)
        return {"executions": page} | ({"nextToken": str(int(nextToken) + maxResults)} if more else {})

    def DescribeExecution(self, executionArn: str) -> dict[str, Any]:  # noqa: N802, N803 - AWS's names
        if executionArn not in self.statuses:
            raise AwsError("ExecutionDoesNotExist")
        return {"executionArn": executionArn, "status": self.statuses[executionArn]}

    def _wait_for(self, token: str) -> None:
        if token in self.late:
            raise AwsError(self.late[token])


@dataclass
class Ecs(AwsService):
    """Tasks as DescribeTasks shows them; ListTasks finds those that are meant to run."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)

    def ListTasks(  # noqa: N802, PLR0913, PLR0917 - AWS's names
        self,
        cluster: str,
        startedBy: str = "",  # noqa: N803 - as above
        family: str = "",
        serviceName: str = "",  # noqa: N803 - as above
        desiredStatus: str = "RUNNING",  # noqa: N803 - as above
        nextToken: str = "0",  # noqa: N803 - as above
    ) -> dict[str, Any]:
        assert CLUSTER_ARN == cluster
        found = [
            task["taskArn"]
            for task in self.tasks
            if startedBy in {"", task["startedBy"]}
            and family in {"", task["family"]}
            and serviceName in {"", task.get("group", "").removeprefix("service:")}
            and desiredStatus == task["desiredStatus"]
        ]
        more = int(nextToken) + 100 < len(found)
        page = found[int(nextToken) : int(nextToken) + 100]
        return {"taskArns": page} | ({"nextToken": str(int(nextToken) + 100)} if more else {})

    def DescribeTasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        assert CLUSTER_ARN == cluster
        assert 1 <= len(tasks) <= 100, "InvalidParameterException: 1 to 100 tasks"
        return {"tasks": [task for task in self.tasks if task["taskArn"] in tasks]}

    def StopTask(self, cluster: str, task: str, reason: str) -> dict[str, Any]:  # noqa: N802 - AWS's names
        assert CLUSTER_ARN == cluster
        self.stopped.append((task, reason))
        (one,) = (found for found in self.tasks if found["taskArn"] == task)
        one["desiredStatus"] = "STOPPED"
        return {}

    def add(self, name: str, session_id: str, created_at: int, ip: str | None, status: str = "RUNNING") -> str:
        """Add a task and return its ARN; one without `ip` has no network interface yet."""
        details = [{"name": "subnetId", "value": "subnet-1"}, {"name": "privateIPv4Address", "value": ip}]
        arn = f"arn:aws:ecs:us-east-1:123456789012:task/test/{name}"
        self.tasks.append(
            {
                "taskArn": arn,
                "startedBy": session_id,
                "createdAt": created_at,
                "family": TASK_FAMILY,
                "lastStatus": status,
                "desiredStatus": "RUNNING",
                "attachments": [{"type": "ElasticNetworkInterface", "details": details}] if ip else [],
            }
        )
        return arn


@dataclass
class GitHubStandIn:
    """The few resources of one repository that the webhook uses, on a socket; `faults` breaks requests to come."""

    url: str = ""
    roles: dict[str, str] = field(default_factory=lambda: {"octo-dev": "admin"})
    issue: dict[str, Any] | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)
    eyes: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    # Method and a part of the path -> status (0 hangs up), and whether the request is carried out all the same.
    faults: list[tuple[str, str, int, bool]] = field(default_factory=list)

    def said(self, number: int) -> list[str]:
        """The comments on an issue or pull request, without their hidden first line."""
        return [c["body"].partition("\n\n")[2] for c in self.comments if c["number"] == number]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and document; a status of 0 hangs up."""
        self.requests.append(f"{method} {path.partition('?')[0]}")
        fault = next((f for f in self.faults if f[0] == method and f[1] in path), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault[3]:
                self._resource(method, path, body)
            return fault[2], {"message": "as told"}
        return self._resource(method, path, body)

    def _resource(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = path.partition("?")[0].split("/")
        if path == "/graphql":
            self.eyes.append(body["variables"]["subject"])
            return 200, {"data": {"addReaction": {"clientMutationId": None}}}
        if parts[-1] == "permission":
            role = self.roles.get(parts[-2])
            return (200, {"permission": role}) if role else (404, {"message": "Not Found"})
        if parts[-1] != "comments":
            return (200, self.issue) if self.issue else (404, {"message": "Not Found"})
        if method == "GET":
            return 200, [c for c in self.comments if c["number"] == int(parts[-2])]
        self.comments.append({"number": int(parts[-2]), "body": body["body"]})
        return 201, {"id": len(self.comments)}


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
    """One server for both services, told apart by the request's target."""
    services: dict[str, AwsService] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service, _, operation = self.headers["X-Amz-Target"].partition(".")
            try:
                status, answer = 200, services[service].handle(operation, request)
            except AwsError as error:
                status, answer = 400, {"__type": error.code, "message": f"as told: {error.code}"}
            except Exception as error:  # noqa: BLE001 - an AWS service, too, refuses what it does not understand
                status, answer = 400, {"__type": "ValidationException", "message": str(error)}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", services
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def github_server() -> Iterator[tuple[str, list[GitHubStandIn]]]:
    """One server for all tests; the last of the list answers."""
    standing: list[GitHubStandIn] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, request: dict[str, Any]) -> None:
            assert "Bearer ghp_a-personal-token" == self.headers["Authorization"]
            status, document = standing[-1].answer(self.command, self.path, request)
            if not status:
                self.close_connection = True
                return
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", standing
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
    def worker() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as broken:
            broken.setenv("AWS_ENDPOINT_URL_SFN", "http://127.0.0.1:9")
            broken.setenv("AWS_MAX_ATTEMPTS", "1")
            fresh_worker.begin()
            yield
        fresh_worker.begin()

    return worker


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
            fresh_worker.begin()
            yield
            fresh_worker.begin()


@pytest.fixture
def aws(account: None) -> Iterator[None]:
    """The account, and no value of an earlier test in Powertools' memory."""
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools does not annotate it
    yield
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # as above


@pytest.fixture
def table(aws: None) -> Iterator[Table]:
    """The empty sessions table."""
    created = boto3.resource("dynamodb").create_table(
        TableName="sessions",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    yield created
    created.delete()


@pytest.fixture
def idempotency_table(aws: None) -> Iterator[Table]:
    created = boto3.resource("dynamodb").create_table(
        TableName="idempotency",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    yield created
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


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, table: Table, idempotency_table: Table, put_secret: Callable[..., str]
) -> Iterator[Callable[..., None]]:
    """A function's environment as template.yaml gives it; called, it changes variables of it."""
    # Powertools read its variables when the module was imported, whoever imported it first.
    monkeypatch.setattr(metrics.provider, "namespace", "ClaudeCloudAgent")

    def forget() -> None:
        settings._load.cache_clear()  # noqa: SLF001 - lives as long as a worker, and each test is a worker of its own
        webhook._persistence.cache_clear()  # noqa: SLF001 - as above

    def change(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        forget()

    change(
        SESSIONS_TABLE=table.name,
        STACK_NAME="claude-cloud-agent",
        CANARY_SERVICE="canary",
        IDEMPOTENCY_TABLE=idempotency_table.name,
        STATE_MACHINE_ARN=STATE_MACHINE_ARN,
        WEBHOOK_SECRET_ARN=put_secret(WEBHOOK_SECRET, "webhook"),
        TRIGGER_LABEL="claude-dev",
        STAGING_TRIGGER_LABEL="",
        GITHUB_API_URL="http://127.0.0.1:9",
        GITHUB_SECRET_ARN=put_secret('{"token": "ghp_a-personal-token"}'),
        CLUSTER_ARN=CLUSTER_ARN,
        UAT_URL="https://uat.example.com",
        UAT_ACCESS="link",
        UAT_ACCESS_KEYS_ARN=put_secret(json.dumps({"signing_key": SIGNING_KEY, "verifying_key": ""}), "uat-access"),
        AGENT_LOG_GROUP="/claude-cloud-agent/agent",
        AGENT_TASK_FAMILY=TASK_FAMILY,
        STAGING_AGENT_TASK_FAMILY="claude-cloud-agent-staging-agent",
        ENVIRONMENT_SECRET_PREFIX="claude-cloud-agent",
        IDLE_MINUTES="60",
        MAX_BUDGET_USD="10",
        MAX_SESSIONS="20",
        MAX_SESSIONS_PER_REPOSITORY="5",
        MAX_TURNS="200",
    )
    yield change
    forget()


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
        row: dict[str, Any] = {
            "session_id": session_id,
            "status": "RUNNING",
            "repo": "acme/storefront",
            "issue_number": 42,
            "issue_key": "42",
            "branch": "claude/42",
            "pull_number": 43,
            "token_hash": "",
            "execution_arn": "arn:aws:states:us-east-1:123456789012:execution:session:x",
            "created_at": "2026-11-22T07:00:00.000Z",
        } | attributes
        table.put_item(Item=session_key(session_id) | row)
        table.put_item(Item=pull_key("acme/storefront", 43) | {"session_id": session_id})
        if row["status"] in {"QUEUED", "STARTING", "RUNNING"}:
            lock = lock_key("acme/storefront", 42)
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

"""The real steps against a real GitHub and AWS, both local processes, and a proxy between them that breaks things."""

from __future__ import annotations

import functools
import itertools
import json
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.integration.steps.github import Clone, GitHub
from tests.integration.steps.handlers import Steps
from tests.kit.sessions import TABLE
from tests.kit.shared_clients import SharedClients

from cloud_agent import worker
from cloud_agent.adapters.table.keys import SLOTS_KEY
from cloud_agent.observability import metrics
from cloud_agent.worker import Worker
from embedded_aws.testing import EmbeddedAwsProcess, eventually
from local_github.testing import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Json = dict[str, Any]

SIGNING_KEY = "a-signing-key-of-32-characters-or-more"
_DEADLINE_SECONDS = 30
_numbers = itertools.count(1)


# To check an RSA key takes longer than to sign with it.
_load_key = functools.cache(load_pem_private_key)
_SESSION = SharedClients(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@pytest.fixture(scope="session")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with Server(tmp_path_factory.mktemp("github")) as server:
        yield GitHub(server.port, server.data_dir)


@pytest.fixture(scope="session")
def aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded AWS, with an empty sessions table and a cluster."""
    with EmbeddedAwsProcess(tmp_path_factory.mktemp("aws")) as aws:
        yield aws.url


@pytest.fixture
def put_secret(aws_url: str, environment: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:  # noqa: ARG001 - needs the environment
    """Make this text the GitHub secret of the deployment."""

    def put(text: str) -> None:
        client = _SESSION.client("secretsmanager", endpoint_url=aws_url)
        arn = client.create_secret(Name=f"github-{next(_numbers)}", SecretString=text)["ARN"]
        monkeypatch.setenv("GITHUB_SECRET_ARN", arn)

    return put


@pytest.fixture(scope="session")
def access_keys(aws_url: str) -> str:
    """The ARN of the keys of access to sessions, as the stack generates them."""
    client = _SESSION.client("secretsmanager", endpoint_url=aws_url)
    keys = json.dumps({"signing_key": SIGNING_KEY, "verifying_key": ""})
    return str(client.create_secret(Name="uat-access-keys", SecretString=keys)["ARN"])


@pytest.fixture(scope="session")
def notified(aws_url: str) -> dict[str, str]:
    """Where notifications go: a topic that nobody has subscribed to, and no chat."""
    secret = _SESSION.client("secretsmanager", endpoint_url=aws_url).create_secret(Name="chats", SecretString="{}")
    topic = _SESSION.client("sns", endpoint_url=aws_url).create_topic(Name="notifications")
    return {"CHAT_WEBHOOKS_ARN": secret["ARN"], "NOTIFICATIONS_TOPIC_ARN": topic["TopicArn"]}


@pytest.fixture
def environment(
    aws_url: str, github: GitHub, access_keys: str, notified: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the template and Lambda give a step, with nothing remembered of an earlier test."""
    variables = notified | {
        "AGENT_LOG_GROUP": "/claude-cloud-agent/agent",
        "ARTIFACTS_BUCKET": "artifacts",
        "AWS_ENDPOINT_URL": aws_url,
        "CLUSTER_ARN": "sessions",
        "AGENT_TASK_FAMILY": "agent",
        "STAGING_AGENT_TASK_FAMILY": "staging-agent",
        "GITHUB_API_URL": github.api_url,
        "MAX_SESSIONS": "1000",
        "MAX_SESSIONS_PER_REPOSITORY": "1000",
        "POWERTOOLS_TRACE_DISABLED": "1",
        "SESSIONS_TABLE": "sessions",
        "TRIGGER_LABEL": "claude-dev",
        "STAGING_TRIGGER_LABEL": "",
        "COMMENT_TRIGGER": "all",
        "TRACKER_URL": "",
        "UAT_ACCESS": "link",
        "UAT_ACCESS_KEYS_ARN": access_keys,
        "MAX_SESSION_AGE_SECONDS": "28800",
        "UAT_URL": "https://uat.example.com",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", _SESSION)
    monkeypatch.setattr(jwt.algorithms, "load_pem_private_key", _load_key)
    # Read from the environment when the module is first imported, by whichever test that is.
    monkeypatch.setattr(metrics.provider, "namespace", "Tests")
    monkeypatch.setattr(metrics.provider, "service", "tests")
    monkeypatch.setattr(worker, "current", Worker())


@pytest.fixture
def steps(github: GitHub, aws_url: str, put_secret: Callable[[str], None]) -> Steps:
    """The steps with the GitHub App's credentials."""
    app = {"app_id": str(github.credentials["app_id"]), "private_key": github.credentials["private_key_pem"]}
    put_secret(json.dumps(app))
    _make_table_and_cluster(aws_url)
    return Steps(github, aws_url)


def _make_table_and_cluster(aws_url: str) -> None:
    boto3.client("ecs", endpoint_url=aws_url).create_cluster(clusterName="sessions")
    boto3.client("s3", endpoint_url=aws_url).create_bucket(Bucket="artifacts")
    dynamodb = boto3.client("dynamodb", endpoint_url=aws_url)
    if "sessions" not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(TableName="sessions", **TABLE)
        # As the webhook's Slots.ensure() leaves it.
        slots: Any = {**SLOTS_KEY, "live": {}, "waiting": {}, "version": 0}
        boto3.resource("dynamodb", endpoint_url=aws_url).Table("sessions").put_item(Item=slots)


@pytest.fixture
def running_task(steps: Steps) -> Iterator[Callable[[str], str]]:
    """Start a task for a session and return its ARN once ECS says it runs; stopped with the test."""
    container = {"name": "agent", "image": "local/python", "command": ["-c", "import time; time.sleep(60)"]}
    started: list[str] = []

    def run(session_id: str) -> str:
        definition = steps.ecs.register_task_definition(
            family="agent",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )["taskDefinition"]["taskDefinitionArn"]
        answer = steps.ecs.run_task(
            cluster="sessions", taskDefinition=definition, group=f"session:{session_id}", launchType="FARGATE"
        )
        task: str = answer["tasks"][0]["taskArn"]
        started.append(task)
        described = functools.partial(steps.ecs.describe_tasks, cluster="sessions", tasks=[task])
        eventually(lambda: described()["tasks"][0]["lastStatus"] == "RUNNING", _DEADLINE_SECONDS)
        return task

    yield run
    for task in started:
        steps.ecs.stop_task(cluster="sessions", task=task)


@pytest.fixture
def repo(github: GitHub) -> str:
    """A repository with one commit on main."""
    return github.new_repository()


@pytest.fixture
def clone(github: GitHub, tmp_path: Path) -> Callable[[str], Clone]:
    """Clone a repository into a folder of its own."""

    def make(repo: str) -> Clone:
        url = f"{github.url}/{repo}.git".replace("://", f"://x-access-token:{github.credentials['token']}@")
        return Clone(url, tmp_path / repo.replace("/", "-"))

    return make

"""The real steps against a real GitHub and AWS, both local processes, and a proxy between them that breaks things."""

from __future__ import annotations

import functools
import importlib
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import jwt
import pytest
from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS
from aws_lambda_powertools.utilities.parameters.secrets import SecretsProvider
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests import fresh_worker

from cloud_agent import settings
from cloud_agent.domain.session import SessionRequest
from cloud_agent.entrypoints import publish_session
from cloud_agent.observability import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Json = dict[str, Any]

ACCOUNT = "arn:aws:states:us-east-1:000000000000"
SIGNING_KEY = "a-signing-key-of-32-characters-or-more"
_DEADLINE_SECONDS = 30
GIT_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": f"claude@{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
_numbers = itertools.count(1)


class _Session(boto3.Session):
    """Makes each client once: to make one takes longer than most of its calls."""

    client: Any = functools.cache(boto3.Session.client)
    resource: Any = functools.cache(boto3.Session.resource)


# To check an RSA key takes longer than to sign with it.
_load_key = functools.cache(load_pem_private_key)
_SESSION = _Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., None]]:
    """Start a module of the project and wait until its address answers; all are ended with the tests."""
    log = tmp_path_factory.mktemp("logs") / "output"
    processes: list[subprocess.Popen[bytes]] = []

    def run(address: str, *command: str) -> None:
        with log.open("ab") as output:
            environment = {"PATH": os.environ["PATH"]}
            process = subprocess.Popen([sys.executable, "-m", *command], stdout=output, stderr=output, env=environment)
        processes.append(process)
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            try:
                httpx.get(address).raise_for_status()
            except httpx.HTTPError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, f"{address} does not answer: {log.read_text()}"
                time.sleep(0.05)
            else:
                return

    yield run
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(20)
        finally:
            process.kill()


class GitHub:
    """The local GitHub, as the person who looks at what the steps have done there."""

    def __init__(self, port: int, data_dir: Path) -> None:
        self.url = f"http://localhost:{port}"
        self.api_url = f"{self.url}/api/v3"
        self.credentials: Json = json.loads((data_dir / "credentials.json").read_text())
        authorization = {"Authorization": f"Bearer {self.credentials['token']}"}
        self._http = httpx.Client(base_url=self.api_url, headers=authorization, timeout=30)

    def call(self, method: str, path: str, /, **body: Any) -> Any:  # noqa: ANN401 - whatever JSON
        answer = self._http.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON
        return self.call("GET", path)

    def new_repository(self, *, auto_init: bool = True) -> str:
        """The full name of a repository of the organization, with one commit unless told otherwise."""
        name = f"app-{next(_numbers)}"
        name_of: str = self.call("POST", "/orgs/acme/repos", name=name, auto_init=auto_init)["full_name"]
        return name_of

    def branches(self, repo: str) -> dict[str, str]:
        """Head by branch."""
        return {branch["name"]: branch["commit"]["sha"] for branch in self.get(f"/repos/{repo}/branches")}

    def add_commit(self, repo: str, branch: str, message: str) -> str:
        """The sha of an empty commit on top of the branch."""
        return self._commit(repo, branch, message, [self.branches(repo)[branch]])

    def merge(self, repo: str, branch: str) -> str:
        """The sha of the commit that merges the branch into main."""
        heads = self.branches(repo)
        return self._commit(repo, "main", f"Merge {branch}", [heads["main"], heads[branch]])

    def _commit(self, repo: str, branch: str, message: str, parents: list[str]) -> str:
        tree = self.get(f"/repos/{repo}/git/commits/{parents[-1]}")["tree"]["sha"]
        commit = self.call("POST", f"/repos/{repo}/git/commits", message=message, tree=tree, parents=parents)
        self.call("PATCH", f"/repos/{repo}/git/refs/heads/{branch}", sha=commit["sha"])
        return str(commit["sha"])

    def pulls(self, session: SessionRequest) -> list[Json]:
        """The pull requests of the session's branch, open or not."""
        found = self.get(f"/repos/{session.repo}/pulls?state=all&per_page=100")
        return [pull for pull in found if pull["head"]["ref"] == session.branch]

    def comments(self, repo: str, number: int) -> list[str]:
        return [comment["body"] for comment in self.get(f"/repos/{repo}/issues/{number}/comments?per_page=100")]

    def deployments(self, session: SessionRequest) -> list[Json]:
        """The Deployments of the session's branch, each with its latest state and address."""
        found = self.get(f"/repos/{session.repo}/deployments?ref={session.branch}")
        for deployment in found:
            latest = self.get(f"/repos/{session.repo}/deployments/{deployment['id']}/statuses")[0]
            deployment |= {"state": latest["state"], "environment_url": latest["environment_url"]}
        return list(found)


@dataclass(frozen=True)
class LambdaContext:
    """What Powertools reads of an invocation."""

    function_name: str = "step"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:step"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


class Steps:
    """The handlers, each called as its state calls it, and the rows they work on."""

    def __init__(self, github: GitHub, endpoint_url: str) -> None:
        self._github = github
        make_resource: Any = boto3.resource  # whose stubs want a literal name
        self.table = make_resource("dynamodb", endpoint_url=endpoint_url).Table("sessions")
        self.ecs: Any = boto3.client("ecs", endpoint_url=endpoint_url)

    def claim(self, repo: str, *, title: str = "Show the menu", body: str = "", **changes: Any) -> SessionRequest:  # noqa: ANN401 - any member
        """A new issue's session, whose row is as the state Claim Session leaves it."""
        number = self._github.call("POST", f"/repos/{repo}/issues", title=title, body=body)["number"]
        members = {
            "session_id": f"{next(_numbers):08x}",
            "repo": repo,
            "issue_number": number,
            "issue_key": str(number),
            "issue_title": title,
            "issue_url": f"{self._github.url}/{repo}/issues/{number}",
            "branch": f"claude/{number}",
            "default_branch": "main",
            "installation_id": self._github.credentials["installation_id"],
            "requested_by": "octo-dev",
        }
        session = SessionRequest.model_validate(members | changes)
        self.put_row(session)
        return session

    def claim_gone(self, repo: str) -> SessionRequest:
        """A session on the pull request of a repository that has been deleted."""
        session = self.claim(repo).model_copy(update={"repo": "acme/gone"})
        self.put_row(session, pull_number=1)
        return session

    def put_row(self, session: SessionRequest, **more: int) -> None:
        row = {
            "status": "STARTING",
            "token_hash": "0" * 64,
            "execution_arn": self.execution(session),
            "created_at": "2026-11-22T10:00:00.000Z",
        }
        self.table.put_item(Item=self._key(session) | row | session.model_dump(exclude_none=True) | more)
        lock = {"pk": f"ISSUE#{session.repo}#{session.issue_number}", "sk": "LOCK", "session_id": session.session_id}
        self.table.put_item(Item=lock)
        self.table.update_item(
            Key={"pk": "SLOTS", "sk": "SLOTS"},
            UpdateExpression="SET live.#session = :repo",
            ExpressionAttributeNames={"#session": session.session_id},
            ExpressionAttributeValues={":repo": session.repo},
        )

    def run(self, step: str, session: SessionRequest, **more: object) -> Json:
        """What the step answers."""
        handler = importlib.import_module(f"cloud_agent.steps.{step}").handler
        event = {"session": session.model_dump(), "execution_arn": self.execution(session), **more}
        answer: Json = handler(event, LambdaContext())
        return answer

    def publish(self, session: SessionRequest, *sort_keys: str) -> None:
        """Hand the table's stream of these rows of the session to its function."""
        keys = [{"pk": {"S": f"SESSION#{session.session_id}"}, "sk": {"S": key}} for key in sort_keys or ("SESSION",)]
        self.publish_keys(*keys)

    @staticmethod
    def publish_keys(*keys: Json, event: str = "MODIFY") -> Json:
        """What the function answers to a batch of records with these keys."""
        publish_session._connect.cache_clear()  # noqa: SLF001 - a worker keeps its connection; a test is many workers
        records = [{"eventName": event, "dynamodb": {"Keys": key}} for key in keys]
        answer: Json = publish_session.handler({"Records": records}, LambdaContext())
        return answer

    def change(self, session: SessionRequest, **attributes: object) -> None:
        """Write attributes of the session's row."""
        self.table.update_item(
            Key=self._key(session),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
        )

    def run_up_to(self, step: str, session: SessionRequest) -> None:
        """All steps before this one that speak to GitHub."""
        if step in {"open_draft_pull_request", "announce_session", "close_session"}:
            self.run("create_branch", session)
        if step in {"announce_session", "close_session"}:
            self.run("open_draft_pull_request", session)
        if step == "close_session":
            self.run("announce_session", session, **self.more("announce_session", session))

    def more(self, step: str, session: SessionRequest) -> Json:
        """What the step's state passes beside the session."""
        if step == "announce_session":
            return {"pull_number": (self.row(session) or {}).get("pull_number", 1)}
        if step == "close_session":
            return {"status": "COMPLETED", "reason": "The pull request was merged."}
        if step == "report_failure":
            return {"state": "Create Branch", "error": "GitHubRequestError", "cause": "as asked"}
        return {}

    @staticmethod
    def execution(session: SessionRequest) -> str:
        name = re.sub(r"\W", "-", f"{session.repo}-{session.issue_number}-{session.session_id}")
        return f"{ACCOUNT}:execution:session:{name}"

    def row(self, session: SessionRequest) -> Json | None:
        row: Json | None = self.table.get_item(Key=self._key(session), ConsistentRead=True).get("Item")
        return row

    def forget(self, session: SessionRequest, *attributes: str) -> None:
        """Make the row as if the step had crashed before it wrote these."""
        self.table.update_item(Key=self._key(session), UpdateExpression="REMOVE " + ", ".join(attributes))

    def lock(self, session: SessionRequest) -> Json | None:
        key = {"pk": f"ISSUE#{session.repo}#{session.issue_number}", "sk": "LOCK"}
        lock: Json | None = self.table.get_item(Key=key, ConsistentRead=True).get("Item")
        return lock

    def slots(self) -> set[str]:
        item = self.table.get_item(Key={"pk": "SLOTS", "sk": "SLOTS"}, ConsistentRead=True)["Item"]
        return set(item.get("live", ()))

    @staticmethod
    def _key(session: SessionRequest) -> dict[str, str]:
        return {"pk": f"SESSION#{session.session_id}", "sk": "SESSION"}


@pytest.fixture(scope="session")
def github(start: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> GitHub:
    port, data_dir = free_port(), tmp_path_factory.mktemp("github")
    module = "cloud_agent_local.github"
    start(f"http://localhost:{port}/api/v3/meta", module, "--port", str(port), "--data-dir", str(data_dir))
    return GitHub(port, data_dir)


@pytest.fixture(scope="session")
def aws_url(start: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The embedded AWS, with an empty sessions table and a cluster."""
    port, directory = free_port(), tmp_path_factory.mktemp("aws")
    folders = ["--state-dir", str(directory / "state"), "--log-dir", str(directory / "logs")]
    url = f"http://127.0.0.1:{port}"
    start(f"{url}/_ministack/health", "cloud_agent_local.embedded_aws", "--port", str(port), *folders)
    return url


@pytest.fixture
def put_secret(aws_url: str, environment: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:  # noqa: ARG001 - needs the environment
    """Make this text the GitHub secret of the deployment."""

    def put(text: str) -> None:
        client = _SESSION.client("secretsmanager", endpoint_url=aws_url)
        arn = client.create_secret(Name=f"github-{next(_numbers)}", SecretString=text)["ARN"]
        monkeypatch.setenv("GITHUB_SECRET_ARN", arn)
        settings._load.cache_clear()  # noqa: SLF001 - a worker reads its environment once; a test is many workers

    return put


@pytest.fixture(scope="session")
def secrets_provider(aws_url: str) -> SecretsProvider:
    return SecretsProvider(boto3_client=_SESSION.client("secretsmanager", endpoint_url=aws_url))


@pytest.fixture(scope="session")
def access_keys(aws_url: str) -> str:
    """The ARN of the keys of access to sessions, as the stack generates them."""
    client = _SESSION.client("secretsmanager", endpoint_url=aws_url)
    keys = json.dumps({"signing_key": SIGNING_KEY, "verifying_key": ""})
    return str(client.create_secret(Name="uat-access-keys", SecretString=keys)["ARN"])


@pytest.fixture
def environment(
    aws_url: str, github: GitHub, secrets_provider: SecretsProvider, access_keys: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """What the template and Lambda give a step, with nothing remembered of an earlier test."""
    variables = {
        "AGENT_LOG_GROUP": "/claude-cloud-agent/agent",
        "AWS_ENDPOINT_URL": aws_url,
        "CLUSTER_ARN": "sessions",
        "GITHUB_API_URL": github.api_url,
        "MAX_SESSIONS": "1000",
        "MAX_SESSIONS_PER_REPOSITORY": "1000",
        "POWERTOOLS_TRACE_DISABLED": "1",
        "SESSIONS_TABLE": "sessions",
        "TRIGGER_LABEL": "claude-dev",
        "STAGING_TRIGGER_LABEL": "",
        "UAT_ACCESS": "link",
        "UAT_ACCESS_KEYS_ARN": access_keys,
        "UAT_URL": "https://uat.example.com",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", _SESSION)
    monkeypatch.setattr(jwt.algorithms, "load_pem_private_key", _load_key)
    # Read from the environment when the module is first imported, by whichever test that is.
    monkeypatch.setattr(metrics.provider, "namespace", "Tests")
    monkeypatch.setattr(metrics.provider, "service", "tests")
    monkeypatch.setitem(DEFAULT_PROVIDERS, "secrets", secrets_provider)
    fresh_worker.begin()
    yield
    fresh_worker.begin()


@pytest.fixture
def steps(github: GitHub, aws_url: str, put_secret: Callable[[str], None]) -> Steps:
    """The steps with the GitHub App's credentials."""
    app = {"app_id": str(github.credentials["app_id"]), "private_key": github.credentials["private_key_pem"]}
    put_secret(json.dumps(app))
    _make_table_and_cluster(aws_url)
    return Steps(github, aws_url)


def _make_table_and_cluster(aws_url: str) -> None:
    boto3.client("ecs", endpoint_url=aws_url).create_cluster(clusterName="sessions")
    dynamodb = boto3.client("dynamodb", endpoint_url=aws_url)
    if "sessions" not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName="sessions",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        # As the webhook's Slots.ensure() leaves it.
        slots: Any = {"pk": "SLOTS", "sk": "SLOTS", "live": {}, "waiting": {}, "version": 0}
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
            cluster="sessions", taskDefinition=definition, startedBy=session_id, launchType="FARGATE"
        )
        task: str = answer["tasks"][0]["taskArn"]
        started.append(task)
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while steps.ecs.describe_tasks(cluster="sessions", tasks=[task])["tasks"][0]["lastStatus"] != "RUNNING":
            assert time.monotonic() < deadline, "the task does not run"
            time.sleep(0.05)
        return task

    yield run
    for task in started:
        steps.ecs.stop_task(cluster="sessions", task=task)


@pytest.fixture
def repo(github: GitHub) -> str:
    """A repository with one commit on main."""
    return github.new_repository()


class Clone:
    """A work tree of a repository, for a person or Claude to work in."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        subprocess.run(["git", "clone", "--quiet", url, str(folder)], check=True, env=GIT_ENVIRONMENT)

    def run(self, *arguments: str) -> str:
        """What git says; a conflict is nobody's subject here."""
        command = ["git", "-C", str(self._folder), *arguments]
        return subprocess.run(command, check=True, env=GIT_ENVIRONMENT, capture_output=True, text=True).stdout.strip()

    def commit(self, name: str) -> str:
        """The sha of a commit that adds a file of this name; its message names it."""
        (self._folder / name).write_text(f"{name}\n")
        self.run("add", "--all")
        self.run("commit", "--quiet", "-m", f"Add {name}")
        return self.run("rev-parse", "HEAD")

    def push(self, branch: str) -> str:
        """Make the branch on GitHub what is checked out, whatever it was; returns its sha."""
        self.run("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.run("rev-parse", "HEAD")


@pytest.fixture
def clone(github: GitHub, tmp_path: Path) -> Callable[[str], Clone]:
    """Clone a repository into a folder of its own."""

    def make(repo: str) -> Clone:
        url = f"{github.url}/{repo}.git".replace("://", f"://x-access-token:{github.credentials['token']}@")
        return Clone(url, tmp_path / repo.replace("/", "-"))

    return make

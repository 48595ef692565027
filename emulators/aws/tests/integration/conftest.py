"""One embedded AWS for all tests of this folder, and one more that enforces IAM."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
import zipfile
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config
from tests.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Json = dict[str, Any]

ANY_ROLE = "arn:aws:iam::000000000000:role/any"


@dataclass
class EmbeddedAws:
    """A running embedded AWS and the few calls tests make all the time."""

    directory: Path
    arguments: list[str] = field(default_factory=list)
    host_environment: dict[str, str] = field(default_factory=dict)
    cluster: str = "tests"

    def __post_init__(self) -> None:
        self.log_dir = self.directory / "logs"
        self.state_dir = self.directory / "state"
        self._clients: dict[str, Any] = {}

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "embedded_aws", "--port", str(self.port)]
        command += ["--state-dir", str(self.state_dir), "--log-dir", str(self.log_dir), *self.arguments]
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "out").open("ab") as out, (self.directory / "err").open("ab") as err:
            environment = {"PATH": os.environ["PATH"], **self.host_environment}
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        eventually(self._ready, 30)
        self._clients.clear()
        self.client("ecs").create_cluster(clusterName=self.cluster)

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError((self.directory / "err").read_text())
        try:
            return httpx.get(f"{self.url}/_ministack/health").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()

    def log(self) -> str:
        """What it has written so far."""
        return "".join((self.directory / name).read_text(errors="replace") for name in ("out", "err"))

    def client(self, service: str) -> Any:  # noqa: ANN401 - a client of whatever service
        if service not in self._clients:
            make_client: Any = boto3.client  # whose stubs want a literal name
            self._clients[service] = make_client(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(max_pool_connections=50, retries={"max_attempts": 0}, read_timeout=40),
            )
        return self._clients[service]

    def deploy(self, template: Json, stack: str | None = None) -> dict[str, str]:
        """Create the stack, or update it when named, and give its outputs."""
        cloudformation = self.client("cloudformation")
        name = stack or f"stack-{uuid.uuid4().hex[:8]}"
        request = {
            "StackName": name,
            "TemplateBody": json.dumps(template),
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        (cloudformation.update_stack if stack else cloudformation.create_stack)(**request)

        def done() -> Json | None:
            found: Json = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            return None if found["StackStatus"].endswith("IN_PROGRESS") else found

        found = eventually(done, 30)
        assert found["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, self._failures(name)
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])} | {"Stack": name}

    def _failures(self, stack: str) -> list[str]:
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]]

    def function(self, code: str, *, role: str = ANY_ROLE, **settings: object) -> str:
        """The ARN of a Lambda function whose module `app` is `code` and whose handler is `handler`."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("app.py", dedent(code))
        answer = self.client("lambda").create_function(
            FunctionName=f"function-{uuid.uuid4().hex[:8]}",
            Runtime="python3.11",
            Handler="app.handler",
            Role=role,
            Code={"ZipFile": archive.getvalue()},
            **settings,
        )
        arn: str = answer["FunctionArn"]
        return arn

    def invoke(self, function_arn: str, event: object = None) -> Any:  # noqa: ANN401 - whatever the function returns
        answer = self.client("lambda").invoke(FunctionName=function_arn, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def machine(self, states: Json, *, role: str = ANY_ROLE) -> str:
        """The ARN of a state machine of these states, of which the first is where it starts."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
        answer = self.client("stepfunctions").create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
        )
        arn: str = answer["stateMachineArn"]
        return arn

    def role(self, service: str, *statements: tuple[object, ...]) -> str:
        """The ARN of a new role of `service`, allowed the (action, resource[, condition]) statements."""
        iam, name = self.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        answer = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
        allowed = [
            {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": dict(*condition)}
            for action, resource, *condition in statements
        ]
        if allowed:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_policy(*allowed))
        arn: str = answer["Role"]["Arn"]
        return arn

    def execute(self, states: Json, state_input: object = None, *, role: str = ANY_ROLE) -> Json:
        """Run a machine of these states to its end and describe the execution."""
        return self.ended(self.begin(states, state_input, role=role))

    def begin(self, states: Json, state_input: object = None, *, role: str = ANY_ROLE) -> str:
        answer = self.client("stepfunctions").start_execution(
            stateMachineArn=self.machine(states, role=role), input=json.dumps(state_input or {})
        )
        arn: str = answer["executionArn"]
        return arn

    def ended(self, execution_arn: str) -> Json:
        def done() -> Json | None:
            found: Json = self.client("stepfunctions").describe_execution(executionArn=execution_arn)
            return None if found["status"] == "RUNNING" else found

        return eventually(done, 20)

    def define_task(self, code: str = "", *, image: str = "local/python", role: str = "", **container: object) -> str:
        """The ARN of a task definition whose one container runs `code`, after `import os, json, sys, time`."""
        program = f"import os, json, sys, time\n{dedent(code)}"
        answer = self.client("ecs").register_task_definition(
            family=f"family-{uuid.uuid4().hex[:8]}",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            **({"taskRoleArn": role} if role else {}),
            containerDefinitions=[
                {"name": "main", "image": image, "command": ["-u", "-c", program], "essential": True, **container}
            ],
        )
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        return arn

    def run_task(self, code: str = "", *, overrides: list[Json] | None = None, **definition: Any) -> str:  # noqa: ANN401 - as above
        answer = self.client("ecs").run_task(
            cluster=self.cluster,
            taskDefinition=self.define_task(code, **definition),
            launchType="FARGATE",
            overrides={"containerOverrides": [{"name": "main", "environment": overrides or []}]},
        )
        arn: str = answer["tasks"][0]["taskArn"]
        return arn

    def task(self, arn: str) -> Json:
        task: Json = self.client("ecs").describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]
        return task

    def task_when(self, arn: str, status: str) -> Json:
        def reached() -> Json | None:
            task = self.task(arn)
            return task if task["lastStatus"] == status else None

        return eventually(reached)

    def task_log(self, arn: str) -> str:
        (log,) = self.log_dir.glob(f"*-{arn.rsplit('/', 1)[-1]}.log")
        return log.read_text()

    def task_output(self, arn: str) -> Any:  # noqa: ANN401 - whatever JSON was printed
        """The JSON value a task that has ended printed last."""
        self.task_when(arn, "STOPPED")
        return json.loads(self.task_log(arn).splitlines()[-1])


def _policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="session")
def start_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., EmbeddedAws]]:
    """Start one more; all are ended with the tests."""
    started: list[EmbeddedAws] = []

    def start(*arguments: str, **host_environment: str) -> EmbeddedAws:
        aws = EmbeddedAws(tmp_path_factory.mktemp("aws"), list(arguments), host_environment)
        started.append(aws)
        aws.start()
        return aws

    yield start
    for aws in started:
        aws.stop()


@pytest.fixture(scope="session")
def aws(start_aws: Callable[..., EmbeddedAws]) -> EmbeddedAws:
    """The one shared by all tests that need nothing special."""
    return start_aws(ANTHROPIC_API_KEY="the-host's-own", GITHUB_TOKEN="the-host's-own", SSL_CERT_FILE="/host/ca.pem")


@pytest.fixture(scope="session")
def strict_aws(start_aws: Callable[..., EmbeddedAws]) -> EmbeddedAws:
    """The one that enforces IAM."""
    return start_aws("--enforce-iam")


@pytest.fixture
def table(aws: EmbeddedAws) -> str:
    """The name of an empty table with the keys pk and sk."""
    name = f"table-{uuid.uuid4().hex[:8]}"
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return name

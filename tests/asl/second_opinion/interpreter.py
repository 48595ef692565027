"""An execution of the definition on moto's interpreter, for one session in an account of its own."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from tests.kit.stack_template import ROOT

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]

DEFINITION = (ROOT / "statemachine/session.asl.json").read_text()
SESSION = "0123abcd"
_BEGINS_TO_LISTEN_SECONDS = 0.2
KEY = {"pk": f"SESSION#{SESSION}", "sk": "SESSION"}
GOOD: dict[str, Json] = {
    "CreateBranch": {"base_sha": "1" * 40},
    "OpenDraftPullRequest": {"pull_number": 7, "base_branch": "main"},
    "TakeSlot": {"taken": True},
    "RegisterIp": {"ip": "10.0.0.7"},
    "AnnounceSession": {"comment_id": 1},
    "CloseSession": {"status": "COMPLETED"},
    "ReportFailure": {"reason": "It failed, in plain words."},
}


class StepError(Exception):
    """What a step raises: the name of its error, and its message."""


def returning(answer: Json) -> Callable[[Json], Json]:
    """A step that goes well."""
    return lambda _: answer


@dataclass
class Execution:
    """One execution of the definition for the same session, in an account of its own."""

    sfn: Any
    ecs: Any
    table: Any
    machine: str
    steps: dict[str, Callable[[Json], Json]]
    called: list[str] = field(default_factory=list)
    arn: str = ""

    def start(self, **changes: object) -> None:
        """Begin it."""
        request: Json = {
            "session_id": SESSION,
            "repository_id": 12,
            "repo": "acme/demo",
            "issue_number": 7,
            "issue_key": "AGNTS-7",
            "issue_title": 'It says "no"',
            "issue_url": "https://github.com/acme/demo/issues/7",
            "branch": "claude/AGNTS-7",
            "default_branch": "main",
            "requested_by": "octo-dev",
            "agent": "standard",
            "installation_id": 99,
            "follows": None,
        }
        answer = self.sfn.start_execution(
            stateMachineArn=self.machine, name="session", input=json.dumps(request | changes)
        )
        self.arn = answer["executionArn"]

    def row(self) -> Json:
        """The session's row."""
        return dict(self.table.get_item(Key=KEY).get("Item", {}))

    def set(self, **attributes: object) -> None:
        """Set attributes of the row, as a function does that is no step."""
        self.table.put_item(Item=self.row() | attributes)

    def token_in_row(self, attribute: str) -> str:
        """The token that a state has parked with."""
        return str(eventually(lambda: self.row().get(attribute)))

    def token_of_task(self) -> str:
        """The token that the agent's container was given."""
        arns = eventually(lambda: self.ecs.list_tasks(cluster="agents")["taskArns"])
        (task,) = self.ecs.describe_tasks(cluster="agents", tasks=arns)["tasks"]
        (container,) = task["overrides"]["containerOverrides"]
        return {one["name"]: str(one["value"]) for one in container["environment"]}["TASK_TOKEN"]

    def agent_is_ready(self) -> None:
        """Go on to Register IP, which leaves the row as the step does."""
        (arn,) = eventually(lambda: self.ecs.list_tasks(cluster="agents")["taskArns"])
        token = self.token_of_task()
        self.set(status="RUNNING", task_arn=arn)
        self.succeed(token, port=3000)

    def succeed(self, token: str, **output: object) -> None:
        """Complete a wait."""
        self._is_parked()
        self.sfn.send_task_success(taskToken=token, output=json.dumps(output))

    def fail(self, token: str, error: str) -> None:
        """Fail a wait."""
        self._is_parked()
        self.sfn.send_task_failure(taskToken=token, error=error, cause="As asked.")

    def _is_parked(self) -> None:
        """Wait until moto listens for the answer: one that comes before is lost."""
        eventually(lambda: self._events()[-1]["type"] == "TaskSubmitted")
        time.sleep(_BEGINS_TO_LISTEN_SECONDS)

    def _events(self) -> list[Json]:
        return list(self.sfn.get_execution_history(executionArn=self.arn, maxResults=1000)["events"])

    def reaches(self, state: str) -> None:
        """Wait until it is in a state."""
        eventually(lambda: state in self.states())

    def ended(self) -> Json:
        """How it ended."""

        def description() -> Json | None:
            found = dict(self.sfn.describe_execution(executionArn=self.arn))
            return found if found["status"] != "RUNNING" else None

        return dict(eventually(description, timeout=20))

    def states(self) -> list[str]:
        """The states that it has been in."""
        entered = (event.get("stateEnteredEventDetails") for event in self._events())
        return [str(details["name"]) for details in entered if details]


def make_table() -> Any:  # noqa: ANN401 - boto3's table
    """Return the sessions table, as the webhook leaves it."""
    table = boto3.resource("dynamodb").create_table(
        TableName="sessions",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    table.put_item(Item={"pk": "SLOTS", "sk": "SLOTS", "live": {}, "waiting": {}, "version": 0})
    return table


def make_machine() -> str:
    """Return the ARN of the definition's machine; its waits and its retries' delays are 1 s."""
    role = boto3.client("iam").create_role(RoleName="workflow", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    ecs = boto3.client("ecs")
    values = {
        "SessionsTable": "sessions",
        "ClusterArn": ecs.create_cluster(clusterName="agents")["cluster"]["clusterArn"],
        "AgentTaskDefinitionFamily": "agent",
        "StagingAgentTaskDefinitionFamily": "agent",
        "AgentSubnetIds": boto3.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"],
        "AgentSecurityGroupId": "sg-1",
        "AssignPublicIp": "DISABLED",
        "MaxSessionAgeSeconds": "120",
        "AgentReadyTimeoutSeconds": "60",
        "AgentHeartbeatTimeoutSeconds": "60",
    }
    ecs.register_task_definition(
        family="agent",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "agent", "image": "agent", "cpu": 256, "memory": 512}],
    )
    values |= {f"{name}FunctionArn": _function(name, role) for name in GOOD}
    definition = json.loads(re.sub(r"\$\{(\w+)\}", lambda name: values[name[1]], DEFINITION))
    for state in definition["States"].values():
        for retrier in state.get("Retry", ()):
            retrier |= {"IntervalSeconds": 1, "BackoffRate": 1}
        if state["Type"] == "Wait":
            state["Seconds"] = 1
    client = boto3.client("stepfunctions")
    return client.create_state_machine(name="session", definition=json.dumps(definition), roleArn=role)[
        "stateMachineArn"
    ]


def _function(name: str, role: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", "")
    return boto3.client("lambda").create_function(
        FunctionName=name, Runtime="python3.11", Role=role, Handler="app.handler", Code={"ZipFile": archive.getvalue()}
    )["FunctionArn"]

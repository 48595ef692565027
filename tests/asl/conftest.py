"""The state machine of statemachine/session.asl.json on an embedded AWS, with scripted steps and a scripted agent."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from tests.asl.dependencies import link_dependencies
from tests.kit.sessions import a_request

from cloud_agent.domain.policy.slots import SlotLimits
from cloud_agent.domain.session.executed_states import ExecutedState, executed_states
from cloud_agent.domain.session.session_request import RequestedSession
from cloud_agent.workflow.report_failure import ReportFailureEvent
from cloud_agent_local.up import PRELOAD_FLAGS
from embedded_aws.testing import EmbeddedAwsProcess, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Json = dict[str, Any]

HERE = Path(__file__).parent
DEFINITION = HERE.parents[1] / "statemachine/session.asl.json"
ROLE = "arn:aws:iam::000000000000:role/any"
STEPS = (
    "create_branch",
    "open_draft_pull_request",
    "take_slot",
    "register_ip",
    "announce_session",
    "close_session",
    "report_failure",
)
# Generous where a test is not about a timeout, so that a busy machine fails none.
LIMITS = {
    "MaxSessionAgeSeconds": "120",
    "AgentReadyTimeoutSeconds": "60",
    "AgentHeartbeatTimeoutSeconds": "60",
}
SLOTS = {"pk": "SLOTS", "sk": "SLOTS"}
NO_SLOT_TAKEN: Json = {"live": {}, "waiting": {}, "version": 0}  # as the webhook leaves it


@dataclass(frozen=True)
class Run:
    """One execution of the state machine."""

    arn: str
    session: RequestedSession


def family_of(task_definition: str) -> str:
    """The family of a task definition, from its ARN."""
    return task_definition.rpartition("/")[2].partition(":")[0]


class SessionWorkflow:
    """State machines of the one definition, and what their executions leave behind."""

    # The same for all functions: a test that wants few slots has somebody hold the others.
    slot_limits = SlotLimits(sessions=30, sessions_per_repository=20)

    def __init__(self, url: str, dependencies: Path) -> None:
        self.url = url
        self._search_path = os.pathsep.join(map(str, (HERE.parents[1] / "functions", dependencies)))
        self._names = itertools.count(1)
        self.ecs, self.sfn, self.events = self.client("ecs"), self.client("stepfunctions"), self.client("events")
        self.table, self._scripts = self._make_table("sessions"), self._make_table("scripts")
        self.table.put_item(Item=SLOTS | NO_SLOT_TAKEN)
        self.cluster = self.ecs.create_cluster(clusterName="agents")["cluster"]["clusterArn"]
        # Nobody listens to the events of its tasks.
        self.deaf_cluster = self.ecs.create_cluster(clusterName="deaf")["cluster"]["clusterArn"]
        self._functions = {step: self._make_function(step, "scripted_step.py", STEP=step) for step in STEPS}
        self._listen_for_tasks()
        self._machines: dict[str, str] = {}

    def client(self, service: str) -> Any:  # noqa: ANN401 - a client of whatever service
        make_client: Any = boto3.client  # whose stubs want a literal name
        return make_client(service, config=Config(retries={"max_attempts": 0}, read_timeout=40), **self._connection)

    @property
    def _connection(self) -> dict[str, str]:
        return {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }

    def _make_table(self, name: str) -> Any:  # noqa: ANN401 - boto3's table
        keys = (("pk", "HASH"), ("sk", "RANGE"))
        make_resource: Any = boto3.resource  # as above
        return make_resource("dynamodb", **self._connection).create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        )

    def _make_function(self, name: str, source: str, **variables: str) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.write(HERE / source, "app.py")
        environment = {
            "SESSIONS_TABLE": "sessions",
            "SCRIPTS_TABLE": "scripts",
            "CLUSTER_ARN": self.cluster,
            "AGENT_TASK_FAMILY": "agent",
            "STAGING_AGENT_TASK_FAMILY": "staging-agent",
            "GITHUB_API_URL": "http://127.0.0.1:9",  # nothing listens there: no session here has a pull request's row
            "GITHUB_SECRET_ARN": "unset",
            "UAT_URL": "https://uat.example.com",
            "TRACKER_URL": "",
            "UAT_ACCESS": "link",
            "UAT_ACCESS_KEYS_ARN": "unset",
            "MAX_SESSION_AGE_SECONDS": "28800",
            "AGENT_LOG_GROUP": "/agent",
            "TRIGGER_LABEL": "claude",
            "STAGING_TRIGGER_LABEL": "",
            "COMMENT_TRIGGER": "all",
            "MAX_SESSIONS": str(self.slot_limits.sessions),
            "MAX_SESSIONS_PER_REPOSITORY": str(self.slot_limits.sessions_per_repository),
            "PYTHONPATH": self._search_path,
            "POWERTOOLS_SERVICE_NAME": "tests",
            "POWERTOOLS_METRICS_NAMESPACE": "Tests",
            "POWERTOOLS_TRACE_DISABLED": "1",
        }
        answer = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="app.handler",
            Role=ROLE,
            Timeout=60,
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": environment | variables},
        )
        arn: str = answer["FunctionArn"]
        return arn

    def _listen_for_tasks(self) -> None:
        detail = {"clusterArn": [self.cluster], "group": [{"prefix": "session:"}]}
        pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail}
        self.events.put_rule(Name="tasks", EventPattern=json.dumps(pattern))
        function = self._make_function("task_events", "real_task_events.py")
        self.events.put_targets(Rule="tasks", Targets=[{"Id": "task-events", "Arn": function}])

    def task_definition(self, family: str = "", image: str = "local/python") -> str:
        """The ARN of a task definition of the scripted agent: a new revision of the family, or of a new family."""
        container = {
            "name": "agent",
            "image": image,
            "command": ["-u", "-c", (HERE / "scripted_agent.py").read_text()],
            "environment": [{"name": "SESSIONS_TABLE", "value": "sessions"}],
            "essential": True,
            "stopTimeout": 2,
        }
        answer = self.ecs.register_task_definition(
            family=family or f"agent-{next(self._names)}",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        return arn

    def machine(
        self, *, image: str = "local/python", edit: Callable[[Json], None] = lambda _: None, **substitutions: str
    ) -> str:
        """The ARN of a machine: retries and waits for other sessions are short, `edit` changes the states further."""
        values = {
            "SessionsTable": "sessions",
            "ClusterArn": self.cluster,
            "AgentTaskDefinitionFamily": family_of(self.task_definition(image=image)),
            "StagingAgentTaskDefinitionFamily": "",
            "AgentSubnetIds": "subnet-1,subnet-2",
            "AgentSecurityGroupId": "sg-1",
            "AssignPublicIp": "DISABLED",
            **LIMITS,
            **{"".join(map(str.title, step.split("_"))) + "FunctionArn": arn for step, arn in self._functions.items()},
            **substitutions,
        }
        definition = json.loads(re.sub(r"\$\{(\w+)\}", lambda name: values[name[1]], DEFINITION.read_text()))
        for state in definition["States"].values():
            for retrier in state.get("Retry", ()):
                retrier |= {"IntervalSeconds": 0.05, "BackoffRate": 1}
            if state["Type"] == "Wait":
                state["Seconds"] = 1
        edit(definition["States"])
        answer = self.sfn.create_state_machine(
            name=f"session-{next(self._names)}", definition=json.dumps(definition), roleArn=ROLE
        )
        arn: str = answer["stateMachineArn"]
        return arn

    def request(self, behaviour: str = "works", **changes: Any) -> RequestedSession:  # noqa: ANN401 - any member
        """A new session's request for an issue of its own."""
        number = next(self._names)
        repo, moment = f"acme/{behaviour}", "2026-11-22T10:00:00.250Z"
        members = a_request(number, repo, session_id=f"{number:08x}", requested_at=moment)
        return RequestedSession.model_validate(members | changes)

    def start(self, machine: str, session: RequestedSession, **scripts: Json) -> Run:
        """Start an execution whose steps follow these scripts: the `errors` of a step's first calls, or `wait_for`."""
        for step, script in scripts.items():
            self._scripts.put_item(Item={"pk": session.session_id, "sk": step, **script})
        answer = self.sfn.start_execution(
            stateMachineArn=machine, name=session.session_id, input=session.model_dump_json()
        )
        return Run(answer["executionArn"], session)

    def ended(self, run: Run) -> Json:
        """The execution's description, once it is over."""
        eventually(lambda: self.is_over(run))
        description: Json = self.sfn.describe_execution(executionArn=run.arn)
        return description

    def is_over(self, run: Run) -> bool:
        return bool(self.sfn.describe_execution(executionArn=run.arn)["status"] != "RUNNING")

    def finish(self, run: Run, status: str = "COMPLETED") -> Json:
        """End a supervised session from outside, and describe its execution."""
        token = self.row_when(run.session, "lifecycle_token")["lifecycle_token"]
        ending = {"status": status, "reason": "The pull request was closed."}
        self.sfn.send_task_success(taskToken=token, output=json.dumps(ending))
        return self.ended(run)

    def history(self, run: Run) -> list[ExecutedState]:
        """The states that the execution went through, as the transcript has them."""
        pages = self.sfn.get_paginator("get_execution_history").paginate(executionArn=run.arn)
        return executed_states(event for page in pages for event in page["events"])

    def states(self, run: Run) -> list[str]:
        """The names of the states in the order they were entered."""
        return [state.name for state in self.history(run)]

    def calls(self, run: Run, step: str) -> int:
        """How often the step's function was invoked."""
        return int(self._script(run, step).get("calls", 0))

    def event(self, run: Run, step: str) -> Json:
        """What the step's function was given last."""
        document: Json = json.loads(self._script(run, step)["event"])
        return document

    def answer(self, run: Run, step: str) -> Json:
        """What the step's function answered last."""
        document: Json = json.loads(self._script(run, step)["answer"])
        return document

    def reported(self, run: Run) -> ReportFailureEvent:
        """What Report Failure was given, as its function reads it."""
        return ReportFailureEvent.model_validate(self.event(run, "report_failure"))

    def _script(self, run: Run, step: str) -> Json:
        answer = self._scripts.get_item(Key={"pk": run.session.session_id, "sk": step}, ConsistentRead=True)
        document: Json = answer.get("Item", {})
        return document

    def row(self, session: RequestedSession) -> Json | None:
        return self._item(f"SESSION#{session.session_id}", "SESSION")

    def row_when(self, session: RequestedSession, attribute: str) -> Json:
        """The session's row, once it has the attribute."""

        def found() -> Json | None:
            row = self.row(session)
            return row if row and attribute in row else None

        return eventually(found)

    def note(self, session: RequestedSession, attribute: str, value: object = True) -> None:  # noqa: FBT002 - any value
        """Give the session's row an attribute: one that a script waits for, or an ending."""
        self.table.update_item(
            Key={"pk": f"SESSION#{session.session_id}", "sk": "SESSION"},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": attribute},
            ExpressionAttributeValues={":value": value},
        )

    def lock(self, session: RequestedSession) -> Json | None:
        return self._item(f"ISSUE#{session.repository_id}#{session.issue_number}", "LOCK")

    def slots(self) -> set[str]:
        """The ids of the sessions that hold a slot."""
        return set((self._item("SLOTS", "SLOTS") or {})["live"])

    def slots_version(self) -> int:
        """What every write to the row of slots changes."""
        return int((self._item("SLOTS", "SLOTS") or {})["version"])

    def hold_slots(self, *holders: str, repo: str = "some/other") -> None:
        """Let these, and nobody else, have a slot."""
        self.table.put_item(Item=SLOTS | NO_SLOT_TAKEN | {"live": dict.fromkeys(holders, repo)})

    def free_slot(self, holder: str) -> None:
        """Free a slot and tell nobody."""
        self.table.update_item(
            Key=SLOTS,
            UpdateExpression="REMOVE live.#holder ADD version :one",
            ExpressionAttributeNames={"#holder": holder},
            ExpressionAttributeValues={":one": 1},
        )

    def queue(self) -> list[str]:
        """The ids of the sessions that wait for a slot, first come first."""
        waiting = (self._item("SLOTS", "SLOTS") or {})["waiting"]
        return sorted(waiting, key=lambda session_id: waiting[session_id]["since"])

    def _item(self, pk: str, sk: str) -> Json | None:
        item: Json | None = self.table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")
        return item

    def running_tasks(self, session: RequestedSession) -> list[str]:
        """The tasks of the session that nobody has stopped, in either cluster."""
        clusters = (self.cluster, self.deaf_cluster)
        return [arn for cluster in clusters for arn in self._tasks_of(session, cluster)]

    def _tasks_of(self, session: RequestedSession, cluster: str) -> list[str]:
        arns = self.ecs.list_tasks(cluster=cluster)["taskArns"]
        described = self.ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return [task["taskArn"] for task in described if task["group"] == f"session:{session.session_id}"]

    def task_token(self, task: str) -> str:
        """The token that RunTask gave the container."""
        return self.variables(task)["TASK_TOKEN"]

    def variables(self, task: str) -> dict[str, str]:
        """What RunTask gave the container, by name."""
        described = self.ecs.describe_tasks(cluster=self.cluster, tasks=[task])["tasks"][0]
        return {one["name"]: one["value"] for one in described["overrides"]["containerOverrides"][0]["environment"]}

    def is_cleaned_up(self, run: Run) -> bool:
        """Whether slot, place in the queue and lock are free and the task is stopped."""
        session = run.session
        assert session.session_id not in self.queue()
        assert session.session_id not in self.slots()
        assert self.lock(session) is None
        assert self.running_tasks(session) == []
        return True


@pytest.fixture(scope="session")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionWorkflow]:
    """One embedded AWS for all tests of this folder."""
    directory = tmp_path_factory.mktemp("asl")
    with EmbeddedAwsProcess(directory, [*PRELOAD_FLAGS]) as aws:
        yield SessionWorkflow(aws.url, link_dependencies(directory / "dependencies"))


@pytest.fixture(scope="session")
def machine(workflow: SessionWorkflow) -> str:
    """The machine of every test that needs no other limits."""
    return workflow.machine()

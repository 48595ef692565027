"""Step Functions and ECS as a small server: moto runs neither a wait with a task token nor a task with an address."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.kit.http_server import Response, serve_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.http_server import Request

CLUSTER_ARN = "arn:aws:ecs:us-east-1:123456789012:cluster/test"
TASK_FAMILY = "claude-cloud-agent-agent"


class AwsError(Exception):
    """What an AWS service responds in place of a result."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AwsService:
    """The wire protocol of an AWS JSON service: one method for each operation, named as the operation."""

    def handle(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = getattr(self, operation)(**request)
        return response


@dataclass
class StepFunctions(AwsService):
    """Keeps what was started and completed; a token in `late` is refused with that error.

    `statuses` are those of executions by their ARN; `listed`, when set, is what the list shows, as it may lag;
    `histories` are their events, of which a page has two at most.
    """

    statuses: dict[str, str] = field(default_factory=dict)
    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
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

    def GetExecutionHistory(  # noqa: N802 - AWS's names
        self,
        executionArn: str,  # noqa: N803 - as above
        maxResults: int,  # noqa: N803 - as above
        reverseOrder: bool,  # noqa: FBT001, N803 - as above
        includeExecutionData: bool,  # noqa: FBT001, N803 - as above
        nextToken: str = "0",  # noqa: N803 - as above
    ) -> dict[str, Any]:
        assert maxResults <= 1_000, "ValidationException: maxResults"
        assert (reverseOrder, includeExecutionData) == (True, False)
        if executionArn not in self.histories:
            raise AwsError("ExecutionDoesNotExist")
        newest_first, start = self.histories[executionArn][::-1], int(nextToken)
        page = newest_first[start : start + 2]
        more = start + 2 < len(newest_first)
        return {"events": page} | ({"nextToken": str(start + 2)} if more else {})

    def _wait_for(self, token: str) -> None:
        if token in self.late:
            raise AwsError(self.late[token])


@dataclass
class Ecs(AwsService):
    """Tasks as DescribeTasks shows them; ListTasks finds those that are meant to run."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)

    def ListTasks(  # noqa: N802 - AWS's names
        self,
        cluster: str,
        family: str = "",
        serviceName: str = "",  # noqa: N803 - as above
        desiredStatus: str = "RUNNING",  # noqa: N803 - as above
        nextToken: str = "0",  # noqa: N803 - as above
    ) -> dict[str, Any]:
        assert cluster == CLUSTER_ARN
        found = [
            task["taskArn"]
            for task in self.tasks
            if family in {"", task["family"]}
            and serviceName in {"", task["group"].removeprefix("service:")}
            and desiredStatus == task["desiredStatus"]
        ]
        more = int(nextToken) + 100 < len(found)
        page = found[int(nextToken) : int(nextToken) + 100]
        return {"taskArns": page} | ({"nextToken": str(int(nextToken) + 100)} if more else {})

    def DescribeTasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        assert cluster == CLUSTER_ARN
        assert 1 <= len(tasks) <= 100, "InvalidParameterException: 1 to 100 tasks"
        return {"tasks": [task for task in self.tasks if task["taskArn"] in tasks]}

    def StopTask(self, cluster: str, task: str, reason: str) -> dict[str, Any]:  # noqa: N802 - AWS's names
        assert cluster == CLUSTER_ARN
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
                "group": f"session:{session_id}",
                "version": 3,
                "createdAt": created_at,
                "family": TASK_FAMILY,
                "lastStatus": status,
                "desiredStatus": "RUNNING",
                "attachments": [{"type": "ElasticNetworkInterface", "details": details}] if ip else [],
            }
        )
        return arn


@contextmanager
def serve_aws() -> Iterator[tuple[str, dict[str, AwsService]]]:
    """One server for both services, told apart by the request's target."""
    services: dict[str, AwsService] = {}

    def respond(request: Request) -> Response:
        service, _, operation = request.headers["X-Amz-Target"].partition(".")
        try:
            return Response.of(services[service].handle(operation, request.json()))
        except AwsError as error:
            return Response.of({"__type": error.code, "message": f"the test wants {error.code}"}, 400)
        except Exception as error:  # noqa: BLE001 - an AWS service, too, refuses what it does not understand
            return Response.of({"__type": "ValidationException", "message": str(error)}, 400)

    with serve_http(respond) as server:
        yield server.url, services

"""ECS: the agent's task as ECS itself knows it, whatever the agent says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent.adapters.aws import clients
from cloud_agent.domain.errors import TaskNotRunningError
from cloud_agent.domain.session.stopped_task import StoppedTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

_BATCH = 100  # tasks, the limit of DescribeTasks
_REASON_LIMIT = 255  # characters; what ECS takes and shows of a reason


@dataclass(frozen=True)
class AgentTask:
    """A running task and the private address of its network interface."""

    arn: str
    ip: str


@dataclass(frozen=True)
class StartedTask:
    """A task that is meant to run, and whoever started it: an agent's task, its session."""

    arn: str
    started_by: str
    created_at: datetime


class Tasks:
    """The agent tasks of one cluster. RunTask gives each its session's id as `startedBy`."""

    def __init__(self, cluster_arn: str) -> None:
        self._cluster = cluster_arn
        self._client = clients.ecs()

    def find(self, session_id: str) -> AgentTask:
        """Return the session's running task; the newest, should RunTask have been retried.

        Raises:
            TaskNotRunningError: ECS knows no task of this session that is running and has an address.
        """
        arns = self._client.list_tasks(cluster=self._cluster, startedBy=session_id)["taskArns"]
        return self._newest_running(arns, f"Session {session_id}")

    def find_of_service(self, service: str) -> AgentTask:
        """Return the newest running task of a service.

        Raises:
            TaskNotRunningError: the service has no task that is running and has an address.
        """
        arns = self._client.list_tasks(cluster=self._cluster, serviceName=service)["taskArns"]
        return self._newest_running(arns, f"The service {service}")

    def started(self, family: str) -> list[StartedTask]:
        """Every task of the family that is meant to run, whether or not it does yet."""
        pages = self._client.get_paginator("list_tasks").paginate(
            cluster=self._cluster, family=family, desiredStatus="RUNNING"
        )
        arns = [arn for page in pages for arn in page["taskArns"]]
        return [
            StartedTask(task["taskArn"], task.get("startedBy", ""), task["createdAt"]) for task in self._described(arns)
        ]

    def stopped(self, arns: Sequence[str]) -> dict[str, str]:
        """Those of the tasks that have come to their end, with ECS's words for it.

        ECS forgets a stopped task after about an hour; one that it does not know has stopped long ago.
        """
        known = {task["taskArn"]: task for task in self._described(arns)}
        return {
            arn: StoppedTask.model_validate(known[arn]).words if arn in known else "ECS no longer knows the task"
            for arn in arns
            if arn not in known or known[arn]["lastStatus"] == "STOPPED"
        }

    def stop(self, arn: str, reason: str) -> None:
        """Stop a task. ECS takes it from one that is stopping already, too."""
        self._client.stop_task(cluster=self._cluster, task=arn, reason=reason[:_REASON_LIMIT])

    def stop_all(self, session_id: str, reason: str) -> None:
        """Stop whatever tasks of the session are meant to run."""
        for arn in self._client.list_tasks(cluster=self._cluster, startedBy=session_id)["taskArns"]:
            self.stop(arn, reason)

    def _newest_running(self, arns: Sequence[str], whose: str) -> AgentTask:
        if not arns:
            raise TaskNotRunningError(f"{whose} has no task that is meant to run.")
        running = sorted(
            (task for task in self._described(arns) if task.get("lastStatus") == "RUNNING"),
            key=lambda task: task["createdAt"],
        )
        if not running:
            raise TaskNotRunningError(f"{whose} has no task that is running.")
        return AgentTask(running[-1]["taskArn"], _private_address(running[-1]))

    def _described(self, arns: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(arns), _BATCH):
            yield from self._client.describe_tasks(cluster=self._cluster, tasks=arns[start : start + _BATCH])["tasks"]


def _private_address(task: Any) -> str:  # noqa: ANN401 - boto3's document of DescribeTasks
    for attachment in task.get("attachments", ()):
        for detail in attachment.get("details", ()):
            if detail.get("name") == "privateIPv4Address":
                return str(detail["value"])
    raise TaskNotRunningError(f"ECS reports no private IPv4 address for {task['taskArn']}.")

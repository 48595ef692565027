"""ECS: the agent's task as ECS itself knows it, whatever the agent says."""

from dataclasses import dataclass
from typing import Any

import boto3

from cloud_agent.domain.errors import TaskNotRunningError


@dataclass(frozen=True)
class AgentTask:
    """A running task and the private address of its network interface."""

    arn: str
    ip: str


class Tasks:
    """The agent tasks of one cluster. RunTask gives each its session's id as `startedBy`."""

    def __init__(self, cluster_arn: str) -> None:
        self._cluster = cluster_arn
        self._client = boto3.client("ecs")

    def find(self, session_id: str) -> AgentTask:
        """The session's running task; the newest, should RunTask have been retried.

        Raises:
            TaskNotRunningError: ECS knows no task of this session that is running and has an address.
        """
        arns = self._client.list_tasks(cluster=self._cluster, startedBy=session_id)["taskArns"]
        if not arns:
            raise TaskNotRunningError(f"ECS lists no running task started by session {session_id}.")
        tasks = self._client.describe_tasks(cluster=self._cluster, tasks=arns)["tasks"]
        running = sorted(
            (task for task in tasks if task.get("lastStatus") == "RUNNING"),
            key=lambda task: task["createdAt"],
        )
        if not running:
            raise TaskNotRunningError(f"The task of session {session_id} is no longer running.")
        return AgentTask(running[-1]["taskArn"], _private_address(running[-1]))


def _private_address(task: Any) -> str:  # noqa: ANN401 - boto3's document of DescribeTasks
    for attachment in task.get("attachments", ()):
        for detail in attachment.get("details", ()):
            if detail.get("name") == "privateIPv4Address":
                return str(detail["value"])
    raise TaskNotRunningError(f"ECS reports no private IPv4 address for {task['taskArn']}.")

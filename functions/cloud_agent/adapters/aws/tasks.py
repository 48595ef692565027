"""ECS: the agent's task as ECS itself knows it, whatever the agent says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.aws import clients
from cloud_agent.domain.errors import TaskNotRunningError
from cloud_agent.domain.session.agent_task import AgentTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloud_agent.domain.session.session import Session

_BATCH = 100  # tasks, the limit of DescribeTasks
_REASON_LIMIT = 255  # characters; what ECS takes and shows of a reason


class Tasks:
    """The tasks of one cluster. Those of the agents' families have each its session as their group."""

    def __init__(self, cluster_arn: str, families: Sequence[str] = ()) -> None:
        self._cluster = cluster_arn
        self._families = families
        self._client = clients.ecs()

    def find(self, session: Session) -> AgentTask:
        """Return the session's running task: the one that its row names, else the newest of its group.

        Raises:
            TaskNotRunningError: ECS knows no task of this session that is running and has an address.
        """
        named = [session.task_arn] if session.task_arn else []
        running = [task for task in self._described(named) if task.is_running]
        return _newest_running(running or self.started_for(session.session_id), f"Session {session.session_id}")

    def find_of_service(self, service: str) -> AgentTask:
        """Return the newest running task of a service.

        Raises:
            TaskNotRunningError: the service has no task that is running and has an address.
        """
        arns = self._client.list_tasks(cluster=self._cluster, serviceName=service)["taskArns"]
        return _newest_running(self._described(arns), f"The service {service}")

    def started(self) -> list[AgentTask]:
        """Every task of the families that is meant to run, whether or not it does yet."""
        return list(self._described(list(self._listed())))

    def started_for(self, session_id: str) -> list[AgentTask]:
        """Those of them that are the session's."""
        return [task for task in self.started() if task.session_id == session_id]

    def stopped(self, arns: Sequence[str]) -> dict[str, str]:
        """Those of the tasks that have come to their end, with ECS's words for it.

        ECS forgets a stopped task after about an hour; one that it does not know has stopped long ago.
        """
        known = {task.taskArn: task for task in self._described(arns)}
        return {
            arn: known[arn].end if arn in known else "ECS no longer knows the task"
            for arn in arns
            if arn not in known or known[arn].has_stopped
        }

    def stop(self, arn: str, reason: str) -> None:
        """Stop a task. ECS takes it from one that is stopping already, too."""
        self._client.stop_task(cluster=self._cluster, task=arn, reason=reason[:_REASON_LIMIT])

    def stop_all(self, session_id: str, reason: str) -> None:
        """Stop whatever tasks of the session are meant to run."""
        for task in self.started_for(session_id):
            self.stop(task.taskArn, reason)

    def _listed(self) -> Iterator[str]:
        for family in self._families:
            pages = self._client.get_paginator("list_tasks").paginate(
                cluster=self._cluster, family=family, desiredStatus="RUNNING"
            )
            for page in pages:
                yield from page["taskArns"]

    def _described(self, arns: Sequence[str]) -> Iterator[AgentTask]:
        for start in range(0, len(arns), _BATCH):
            response = self._client.describe_tasks(cluster=self._cluster, tasks=arns[start : start + _BATCH])
            yield from map(AgentTask.model_validate, response["tasks"])


def _newest_running(tasks: Iterable[AgentTask], whose: str) -> AgentTask:
    running = [task for task in tasks if task.is_running]
    if not running:
        raise TaskNotRunningError(f"{whose} has no task that is running.")
    newest = max(running, key=lambda task: task.createdAt)
    if newest.ip is None:
        raise TaskNotRunningError(f"ECS reports no private IPv4 address for {newest.taskArn}.")
    return newest

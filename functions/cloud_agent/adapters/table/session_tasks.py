"""DynamoDB: what a session's row says of its task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.session.session import SessionStatus, timestamp

if TYPE_CHECKING:
    from cloud_agent.domain.session.agent_task import AgentTask
    from cloud_agent.domain.session.session import Session

_WITH_TASK = [SessionStatus.STARTING, SessionStatus.RUNNING]


class SessionTasks:
    """The tasks of the sessions in a table. Only a session that starts or runs has one."""

    def __init__(self, table_name: str) -> None:
        self._sessions = SessionsTable(table_name)

    def record(self, session_id: str, task: AgentTask, logs_url: str) -> Session | None:
        """Keep the session's task as ECS has it now and return the row; None when ECS said more before, or it has none.

        Events come late, twice and out of order: an older view of the task changes nothing, nor does an older task
        whose RunTask was tried again. The state that parks the session checks `task_stopped_reason`, so a task that
        stops just before the wait begins isn't missed.
        """
        kept: dict[str, Any] = {
            **_identity(task),
            "logs_url": logs_url,
            **({"ip": task.ip} if task.ip else {}),
            **({"task_stopped_reason": task.end} if task.has_stopped else {}),
        }
        gone = [name for name in ("ip", "task_stopped_reason") if name not in kept]
        assignments = ", ".join(f"{name} = :{name}" for name in kept)
        done = self._sessions.update(
            session_id,
            f"SET {assignments}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
            Attr("status").is_in(_WITH_TASK)
            & (
                Attr("task_arn").not_exists()
                | (Attr("task_arn").eq(task.taskArn) & Attr("task_version").lte(task.version))
                | Attr("task_created_at").lt(kept["task_created_at"])
            ),
            values={f":{name}": value for name, value in kept.items()},
        )
        return self._sessions.get(session_id) if done else None

    def mark_running(self, session_id: str, task: AgentTask, port: int) -> bool:
        """Move the session to RUNNING at this task's address; returns False when it has ended."""
        kept = {"status": SessionStatus.RUNNING, **_identity(task), "ip": task.ip, "port": port}
        return self._sessions.update(
            session_id,
            "SET " + ", ".join(f"#{name} = :{name}" for name in kept) + ", last_active_at = :now",
            Attr("status").is_in(_WITH_TASK),
            names={f"#{name}": name for name in kept},
            values={":now": timestamp()} | {f":{name}": value for name, value in kept.items()},
        )

    def record_stopped(self, session_id: str, task_arn: str, reason: str) -> Session | None:
        """Note on the session why this task of it stopped, if the event was lost; None when it has another, or none."""
        done = self._sessions.update(
            session_id,
            "SET task_stopped_reason = :reason",
            Attr("status").is_in(_WITH_TASK) & Attr("task_arn").eq(task_arn),
            values={":reason": reason},
        )
        return self._sessions.get(session_id) if done else None


def _identity(task: AgentTask) -> dict[str, Any]:
    """Return what tells tasks, and views of one task, apart and puts them in order."""
    return {
        "task_arn": task.taskArn,
        "task_created_at": timestamp(task.createdAt),
        "task_version": task.version,
    }

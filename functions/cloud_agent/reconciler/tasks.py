"""Tasks without a session, and sessions without their task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.workflow import TASK_STOPPED
from cloud_agent.adapters.table.session_tasks import SessionTasks
from cloud_agent.domain.session.session import LIVE, Session, SessionStatus, timestamp

if TYPE_CHECKING:
    from cloud_agent.domain.session.agent_task import AgentTask
    from cloud_agent.reconciler.reconciliation import Reconciliation


def watch_tasks(run: Reconciliation) -> None:
    """Stop the tasks whose session is over or unknown; fail the waits of sessions whose task is gone."""
    started = run.tasks.started()
    _stop_orphans(run, started)
    _fail_bereft(run, {task.taskArn for task in started})


def _stop_orphans(run: Reconciliation, started: list[AgentTask]) -> None:
    """Rows are read after the list of tasks, and a row is written before its task is started: none comes too late."""
    settled = [task for task in started if run.is_settled(task.createdAt)]
    rows = run.table.rows(sorted({task.session_id for task in settled if task.session_id}))

    def is_orphan(task: AgentTask) -> bool:
        row = rows.get(task.session_id or "", {})
        # A RunTask that was tried again may have started two: the row names the newer.
        is_another = row.get("task_arn") != task.taskArn
        is_superseded = is_another and row.get("task_created_at", "") > timestamp(task.createdAt)
        return row.get("status") not in LIVE or is_superseded

    def stop(task: AgentTask) -> None:
        run.tasks.stop(task.taskArn, "No live session has this task.")
        run.did("TaskStopped", task_arn=task.taskArn, group=task.group)

    run.each({task.taskArn: task for task in settled if is_orphan(task)}, stop)


def _fail_bereft(run: Reconciliation, started: set[str]) -> None:
    """As ECS's event does, which may have been lost; the first word stands, so that saying it again does no harm."""
    bereft = {
        session.task_arn: session
        for session in run.sessions.values()
        if session.status is SessionStatus.RUNNING and session.task_arn and session.task_arn not in started
    }
    # Not the tasks that are still stopping: ECS's event is yet to come, and its words are better.
    stopped = run.tasks.stopped(list(bereft))
    tasks = SessionTasks(run.settings.sessions_table)

    def fail(session: Session) -> None:
        task_arn = str(session.task_arn)
        row = tasks.record_stopped(session.session_id, task_arn, stopped[task_arn])
        if row and row.lifecycle_token and run.workflow.fail(row.lifecycle_token, TASK_STOPPED, stopped[task_arn]):
            run.did("WaitFailed", of_session=session.session_id, task_arn=task_arn, reason=stopped[task_arn])

    run.each({session.session_id: session for arn, session in bereft.items() if arn in stopped}, fail)

"""Tasks without a session, and sessions without their task."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.workflow import TASK_STOPPED
from cloud_agent.domain.session.session import LIVE, Session, SessionStatus

if TYPE_CHECKING:
    from cloud_agent.adapters.aws.tasks import StartedTask
    from cloud_agent.reconciler.reconciliation import Reconciliation

_SESSION_ID = re.compile(r"[0-9a-f]{8}")


def watch_tasks(run: Reconciliation) -> None:
    """Stop the tasks whose session is over or unknown; fail the waits of sessions whose task is gone."""
    families = (run.settings.agent_task_family, run.settings.staging_agent_task_family)
    started = [task for family in families for task in run.tasks.started(family)]
    _stop_orphans(run, started)
    _fail_bereft(run, {task.arn for task in started})


def _stop_orphans(run: Reconciliation, started: list[StartedTask]) -> None:
    """Rows are read after the list of tasks, and a row is written before its task is started: none comes too late."""
    settled = [task for task in started if run.is_settled(task.created_at)]
    rows = run.table.rows(sorted({task.started_by for task in settled if _SESSION_ID.fullmatch(task.started_by)}))
    live = {session_id for session_id, row in rows.items() if row.get("status") in LIVE}

    def stop(task: StartedTask) -> None:
        run.tasks.stop(task.arn, "No live session has this task.")
        run.did("TaskStopped", task_arn=task.arn, started_by=task.started_by)

    run.each({task.arn: task for task in settled if task.started_by not in live}, stop)


def _fail_bereft(run: Reconciliation, started: set[str]) -> None:
    """As ECS's event does, which may have been lost; the first word stands, so that saying it again does no harm."""
    bereft = {
        session.task_arn: session
        for session in run.sessions.values()
        if session.status is SessionStatus.RUNNING and session.task_arn and session.task_arn not in started
    }
    # Not the tasks that are still stopping: ECS's event is yet to come, and its words are better.
    stopped = run.tasks.stopped(list(bereft))

    def fail(session: Session) -> None:
        task_arn = str(session.task_arn)
        row = run.table.record_task_stopped(session.session_id, task_arn, stopped[task_arn])
        if row and row.lifecycle_token and run.workflow.fail(row.lifecycle_token, TASK_STOPPED, stopped[task_arn]):
            run.did("WaitFailed", of_session=session.session_id, task_arn=task_arn, reason=stopped[task_arn])

    run.each({session.session_id: session for arn, session in bereft.items() if arn in stopped}, fail)

"""State "Register IP": from here on the proxy sends visitors to the agent's task."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from cloud_agent.adapters.aws.tasks import Tasks
from cloud_agent.adapters.table.session_tasks import SessionTasks
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.errors import SessionOverError
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import TaskSettings, load


class RegisterIpEvent(StepEvent):
    """The port comes from the agent; a privileged one is none of a dev server's."""

    port: int = Field(ge=1024, le=65535)


@step(RegisterIpEvent)
def handler(event: RegisterIpEvent) -> dict[str, Any]:
    """Guarantees that the row holds the address that ECS, not the agent, reports for the session's task."""
    settings, session_id = load(TaskSettings), event.session.session_id
    session = SessionsTable(settings.sessions_table).get(session_id)
    task = Tasks(settings.cluster_arn, settings.agent_families).find(session)
    if not SessionTasks(settings.sessions_table).mark_running(session_id, task, event.port):
        raise SessionOverError(f"Session {session_id} ended before its address could be registered.")
    logger.info("address registered", extra={"task_arn": task.taskArn, "ip": task.ip, "port": event.port})
    return {"task_arn": task.taskArn, "ip": task.ip, "port": event.port}

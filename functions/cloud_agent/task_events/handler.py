"""EventBridge "ECS Task State Change": the row knows its task, and no execution waits for a container that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import EventBridgeModel

from cloud_agent.adapters.aws.workflow import TASK_STOPPED, Workflow
from cloud_agent.adapters.table.session_tasks import SessionTasks
from cloud_agent.domain.session.agent_task import AgentTask
from cloud_agent.domain.session.console_pages import logs_console_url
from cloud_agent.observability import identify_session, logger, metrics, tracer
from cloud_agent.settings import TaskEventsSettings, load

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from cloud_agent.domain.session.session import Session


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - AWS's signature
    """Guarantees that the session's row has its task and address as ECS last reported them, in whatever order it did.

    When the task has stopped, whichever wait the session's execution is in ends now; an ended session is left alone.
    """
    task = AgentTask.model_validate(parse(event=event, model=EventBridgeModel).detail)
    if task.session_id is None:
        logger.info("not a session's task", extra={"task_arn": task.taskArn})
        return {"failed_waits": 0}
    identify_session(task.session_id)
    # Noted first: an execution between its two waits finds the note when it is about to begin the second.
    settings = load(TaskEventsSettings)
    logs_url = logs_console_url(task.taskArn, settings.agent_log_group)
    session = SessionTasks(settings.sessions_table).record(task.session_id, task, logs_url)
    logger.info("task recorded", extra={"status": task.lastStatus, "recorded": session is not None})
    return {"failed_waits": _fail_waits(task, session) if task.has_stopped else 0}


def _fail_waits(task: AgentTask, session: Session | None) -> int:
    metrics.add_metric("TasksStopped", MetricUnit.Count, 1)
    tokens = [task.variable("TASK_TOKEN"), session.lifecycle_token if session else None]
    workflow = Workflow()
    failed = sum(workflow.fail(token, TASK_STOPPED, task.end) for token in tokens if token)
    logger.info("task stopped", extra={"reason": task.end, "failed_waits": failed})
    return failed

"""EventBridge "ECS Task State Change" (STOPPED): no execution waits for a container that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import EventBridgeModel

from cloud_agent.adapters.aws.workflow import TASK_STOPPED, Workflow
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.session.stopped_task import StoppedTask
from cloud_agent.observability import identify_session, logger, metrics, tracer
from cloud_agent.settings import Settings, load

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - AWS's signature
    """Guarantees that whichever wait the session's execution is in ends now; a session that is over is left alone."""
    metrics.add_metric("TasksStopped", MetricUnit.Count, 1)
    task = StoppedTask.model_validate(parse(event=event, model=EventBridgeModel).detail)
    session_id, task_token = task.variable("SESSION_ID"), task.variable("TASK_TOKEN")
    if session_id is None or task_token is None:
        logger.info("not a session's task", extra={"task_arn": task.taskArn})
        return {"failed_waits": 0}
    identify_session(session_id)
    # Noted first: an execution between its two waits finds the note when it is about to begin the second.
    session = SessionsTable(load(Settings).sessions_table).record_task_stopped(session_id, task.taskArn, task.words)
    tokens = [task_token]
    if session is not None and session.lifecycle_token:
        tokens.append(session.lifecycle_token)
    workflow = Workflow()
    failed = sum(workflow.fail(token, TASK_STOPPED, task.words) for token in tokens)
    logger.info("task stopped", extra={"reason": task.words, "failed_waits": failed})
    return {"failed_waits": failed}

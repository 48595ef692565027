"""Schedule, each minute: ends idle sessions and repairs what an outage left behind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.observability import logger, metrics, tracer
from cloud_agent.reconciler.deliveries import repeat_lost_deliveries
from cloud_agent.reconciler.endings import repeat_endings
from cloud_agent.reconciler.executions import close_abandoned_sessions
from cloud_agent.reconciler.idle import end_idle_sessions
from cloud_agent.reconciler.reconciliation import Reconciliation
from cloud_agent.reconciler.slots import free_slots, move_queue_on
from cloud_agent.reconciler.tasks import watch_tasks
from cloud_agent.settings import ReconcilerSettings, load

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# An end that was asked for comes before any failure that is found; the queue moves on when all slots are free.
DUTIES = (
    free_slots,
    repeat_endings,
    close_abandoned_sessions,
    watch_tasks,
    end_idle_sessions,
    move_queue_on,
    repeat_lost_deliveries,
)


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - AWS's signature
    """Guarantees that no session hangs for more than a few minutes, whatever failed; returns what was done, counted."""
    run = Reconciliation(load(ReconcilerSettings), datetime.now(UTC), context.get_remaining_time_in_millis)
    for duty in DUTIES:
        run.attempt(duty.__name__, duty, run)
    occupancy = run.slots.occupancy()  # as the reconciliation leaves it
    held = {"SlotsInUse": len(occupancy.live), "SessionsWaiting": len(occupancy.waiting)}
    for name, count in {"SessionsReconciled": len(run.sessions), **held, **run.done}.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    logger.info("reconciliation completed", extra={"sessions": len(run.sessions), "done": dict(run.done)})
    return {"sessions": len(run.sessions), **run.done}

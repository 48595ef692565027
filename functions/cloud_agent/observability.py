"""Logger, tracer and metrics, built once; every line and trace of a step carries its session and execution."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, ConfigDict

from cloud_agent.domain.session.session_request import RequestedSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
tracer = Tracer()
metrics = Metrics()


class StepEvent(BaseModel):
    """What every state passes to its function; a state that passes more has a subclass of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: RequestedSession
    execution_arn: str


E = TypeVar("E", bound=StepEvent)


def step(event_model: type[E]) -> Callable[[Callable[[E], dict[str, Any]]], Callable[..., dict[str, Any]]]:
    """Make a function of a typed event into a Lambda handler that logs, traces and counts."""

    def decorate(function: Callable[[E], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        @wraps(function)
        def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - AWS's signature
            parsed = event_model.model_validate(event)
            identify_session(parsed.session.session_id, parsed.execution_arn)
            name = function.__module__.rpartition(".")[2]
            logger.info("step started", extra={"step": name})
            metrics.add_dimension("step", name)
            metrics.add_metric("StepsStarted", MetricUnit.Count, 1)
            result = function(parsed)
            metrics.add_metric("StepsCompleted", MetricUnit.Count, 1)
            return result

        return tracer.capture_lambda_handler(
            metrics.log_metrics(logger.inject_lambda_context(handler, clear_state=True)),
        )

    return decorate


def identify_session(session_id: str, execution_arn: str | None = None) -> None:
    """Put the ids on every later log line and on the trace of this invocation."""
    logger.append_keys(session_id=session_id, **({"execution_arn": execution_arn} if execution_arn else {}))
    tracer.put_annotation("session_id", session_id)

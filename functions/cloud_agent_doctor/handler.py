"""Schedule, every 15 minutes: runs the checks of `cloud-agent doctor` and counts what they find, for the alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from cloud_agent.adapters.aws import clients
from cloud_agent.domain.session.session import timestamp
from cloud_agent.observability import logger, metrics, tracer
from cloud_agent.settings import load
from cloud_agent_doctor.diagnose import diagnose
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_doctor.engine.findings import Outcome, Status
from cloud_agent_doctor.last_report import LastReport
from cloud_agent_doctor.settings import DoctorSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from cloud_agent_doctor.engine.findings import Finding


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - AWS's signature
    """Guarantees that each finding is a log line and a metric, and that `NewFindings` counts the new ones.

    A finding is new if the previous run didn't have it. Whom to notify, and when, is up to the alarms. Nothing is
    fixed, and nothing is posted to a pull request.
    """
    settings = load(DoctorSettings)
    report = diagnose(settings.stack_name, Aws(clients.client), on_outcome=_log)
    found = frozenset(f"{o.check} {finding.resource}" for o in report.outcomes for finding in o.findings)
    before = LastReport(settings.sessions_table).replace(found, timestamp())
    for outcome in report.broken:
        with single_metric(name="Findings", unit=MetricUnit.Count, value=len(outcome.findings)) as metric:
            metric.add_dimension("check", outcome.check)
    counts = {
        "DoctorFindings": report.finding_count,
        "DoctorUnknown": len(report.unknown),
        "NewFindings": len(found - before),
        "DriftedResources": sum(
            len(o.findings) + len(o.suppressed) for o in report.outcomes if o.check == "stack-drift"
        ),
    }
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    logger.info("diagnosis completed", extra={"healthy": report.exit_code == 0, **counts})
    return {"healthy": report.exit_code == 0, **counts}


def _log(outcome: Outcome) -> None:
    for finding in outcome.findings:
        _log_one("finding", outcome.check, finding)
    for warning in outcome.warnings:
        _log_one("warning", outcome.check, warning)
    if outcome.status is Status.UNKNOWN:
        logger.warning("check incomplete", extra={"check": outcome.check, "reason": outcome.reason})


def _log_one(message: str, check: str, finding: Finding) -> None:
    logger.warning(
        message,
        extra={
            "check": check,
            "resource": finding.resource,
            "problem": finding.problem,
            "impact": finding.impact,
            "remediation": finding.remediation,
        },
    )

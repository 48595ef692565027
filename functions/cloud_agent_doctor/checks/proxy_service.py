"""Does the proxy's service run what the stack says, as many times as it says?

Checks the ECS service: it must exist and be active, want as many tasks as the parameter ProxyDesiredCount, run all of
them, run the task definition revision the stack created, and its last deployment must have completed. A deployment
may take 15 minutes; tasks it's still starting don't count as missing. If ECS's circuit breaker stopped a deployment,
the finding includes its reason.

Without running tasks session URLs get 503. A revision that was registered manually is replaced by the next
deployment: whatever it's needed for belongs in the template. Problems with the environment of such a revision are
reported by `environment`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers.proxy_service import ACTION, proxy_service
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding, revert_drift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]

_DEPLOYMENT_TIME = timedelta(minutes=15)
# A service may fail to start because of what it starts: a finding about that covers both.
_REVISION = ("ProxyTaskDefinition",)
_STARTING = ("ProxyService", "ProxyTaskDefinition")


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a service that's gone, runs something else, or runs too little of it."""
    stack = context.stack
    service = proxy_service(context)
    if service is None or service["status"] != "ACTIVE":
        status = "doesn't exist" if service is None else f"is in status {service['status']}"
        problem = f"The proxy's service {stack.physical_id('ProxyService')} {status}."
        yield _finding(context, problem, "Nothing responds behind the load balancer.", ("ProxyService",))
        return
    yield from _desired(context, service)
    primary = next(one for one in service["deployments"] if one["status"] == "PRIMARY")
    revision, expected = service["taskDefinition"], stack.physical_id("ProxyTaskDefinition")
    if revision != expected:
        yield _finding(
            context,
            f"The proxy's service runs revision {_revision(revision)}, the stack's is {_revision(expected)} "
            f"({revision}).",
            "The proxy runs with settings that are in no template; the next deployment changes them.",
            _REVISION,
        )
    if problem := _unsettled(service, primary):
        yield _finding(context, problem, "Session URLs get 503, or fewer tasks serve them.", _STARTING)


def _desired(context: CheckContext, service: Document) -> Iterator[Finding]:
    wanted, desired = int(context.stack.parameters["ProxyDesiredCount"]), service["desiredCount"]
    if desired != wanted:
        yield _finding(
            context,
            f"The proxy's service is set to run {desired or 'no'} tasks; the parameter "
            f"ProxyDesiredCount says {wanted}.",
            "Fewer or more tasks than planned serve visitors." if desired else "Session URLs get 503.",
            ("ProxyService",),
        )


def _unsettled(service: Document, primary: Document) -> str:
    """Return why the desired tasks aren't running, in a sentence; empty if they are, or still may."""
    state, reason = primary.get("rolloutState", "COMPLETED"), primary.get("rolloutStateReason", "")
    counts = f"{service['runningCount']} of {service['desiredCount']} tasks are running"
    if state == "FAILED":
        return f"The last deployment of the proxy's service failed: {reason} {counts[0].upper()}{counts[1:]}."
    since = primary["createdAt"]
    if state == "IN_PROGRESS":
        if datetime.now(UTC) - since < _DEPLOYMENT_TIME:
            return ""
        return f"The deployment of the proxy's service of {since:%Y-%m-%d %H:%M} UTC is still in progress: {counts}."
    if service["runningCount"] < service["desiredCount"]:
        failed = primary.get("failedTasks", 0)
        events = service.get("events", ())
        last = f" ECS says: {events[0]['message']}" if events else ""
        return (
            f"The proxy's service is short of tasks: {counts}{f', {failed} failed to start' if failed else ''}.{last}"
        )
    return ""


def _revision(task_definition: str) -> str:
    return task_definition.rpartition(":")[2]


def _finding(context: CheckContext, problem: str, impact: str, logical_ids: tuple[str, ...]) -> Finding:
    stack = context.stack
    service = stack.physical_id("ProxyService")
    return Finding(
        resource=service,
        problem=problem,
        impact=impact,
        remediation=revert_drift(stack)
        if logical_ids != _STARTING
        else "See ECS's events and the proxy's log for why the tasks stopped, fix the image, parameter or secret, and "
        "`sam deploy`.",
        confirm=f"aws ecs describe-services --cluster {stack.physical_id('Cluster')} --services {service}",
        logical_ids=logical_ids,
    )


CHECK = Check(
    name="proxy-service",
    question="Does the proxy's service run what the stack says?",
    run=run,
    actions=(ACTION,),
    suppress_repeats=True,
)

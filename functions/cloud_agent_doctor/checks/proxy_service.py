"""Does the proxy's service run what the stack says, as often as it says?

Looks at the ECS service: it must be there and active, want as many tasks as the parameter ProxyDesiredCount, run them
all, run the revision of the task definition that the stack made, and its last deployment must have come to its end. A
deployment may take 15 minutes; what it still starts is not counted as missing. When ECS's circuit breaker has given a
deployment up, its reason is named.

Without running tasks session URLs answer 503. A revision made by hand is replaced by the next deployment: what it has
of use belongs into the template. What is wrong with the environment of such a revision is told by `environment`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers.proxy_tasks import ACTION, proxy_service
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

_DEPLOYMENT_TIME = timedelta(minutes=15)
# What does not come up may be the fault of what is started: a finding about that speaks for both.
_REVISION = ("ProxyTaskDefinition",)
_STARTING = ("ProxyService", "ProxyTaskDefinition")


def examine(examination: Examination) -> Iterator[Finding]:
    """Find a service that is gone, or runs something else, or less of it."""
    stack = examination.stack
    service = proxy_service(examination)
    if service is None or service["status"] != "ACTIVE":
        status = "does not exist" if service is None else f"is in status {service['status']}"
        problem = f"The proxy's service {stack.physical_id('ProxyService')} {status}."
        yield _finding(examination, problem, "Nothing answers behind the load balancer.", ("ProxyService",))
        return
    yield from _desired(examination, service)
    primary = next(one for one in service["deployments"] if one["status"] == "PRIMARY")
    revision, expected = service["taskDefinition"], stack.physical_id("ProxyTaskDefinition")
    if revision != expected:
        yield _finding(
            examination,
            f"The proxy's service runs revision {_revision(revision)}, the stack's is {_revision(expected)} "
            f"({revision}).",
            "The proxy runs with settings that no template says; the next deployment changes them.",
            _REVISION,
        )
    if problem := _unsettled(service, primary):
        yield _finding(examination, problem, "Session URLs answer 503, or fewer tasks carry them.", _STARTING)


def _desired(examination: Examination, service: Document) -> Iterator[Finding]:
    wanted, desired = int(examination.stack.parameters["ProxyDesiredCount"]), service["desiredCount"]
    if desired != wanted:
        yield _finding(
            examination,
            f"The proxy's service is told to run {desired} tasks{'' if desired else ', that is: none'}; the parameter "
            f"ProxyDesiredCount says {wanted}.",
            "Fewer or more tasks than planned carry the visitors." if desired else "Session URLs answer 503.",
            ("ProxyService",),
        )


def _unsettled(service: Document, primary: Document) -> str:
    """Why what is wanted does not run, in a sentence; empty when it does, or may yet."""
    state, reason = primary.get("rolloutState", "COMPLETED"), primary.get("rolloutStateReason", "")
    counts = f"{service['runningCount']} of {service['desiredCount']} tasks run"
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
        return f"Of the proxy's service {counts}{f', {failed} could not be started' if failed else ''}.{last}"
    return ""


def _revision(task_definition: str) -> str:
    return task_definition.rpartition(":")[2]


def _finding(examination: Examination, problem: str, meaning: str, logical_ids: tuple[str, ...]) -> Finding:
    stack = examination.stack
    service = stack.physical_id("ProxyService")
    return Finding(
        resource=service,
        problem=problem,
        meaning=meaning,
        mend=revert(stack)
        if logical_ids != _STARTING
        else "Read why the tasks stopped in ECS's events and in the proxy's log, mend image, parameter or secret, and "
        "`sam deploy`.",
        confirm=f"aws ecs describe-services --cluster {stack.physical_id('Cluster')} --services {service}",
        logical_ids=logical_ids,
    )


CHECK = Check(
    name="proxy-service",
    question="Does the proxy's service run what the stack says?",
    examine=examine,
    actions=(ACTION,),
    only_new=True,
)

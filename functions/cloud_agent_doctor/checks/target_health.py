"""Does the load balancer find the proxy tasks healthy?

Looks at the health that the load balancer itself sees of each target: as many must be healthy as the service is to
run. A target that was just registered or is just leaving is no finding. Of each other one AWS's reason is told, and
what it comes from.

Visitors are led to healthy targets alone; when none is, the load balancer tries them all and session URLs answer 502,
503 or 504. Asked only when the hops before it are sound: otherwise it would say the same once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers.proxy_tasks import ACTION as SERVICES_ACTION
from cloud_agent_doctor.containers.proxy_tasks import proxy_service
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

_PASSING = {"initial", "draining"}
_PLAINLY = {
    "Target.Timeout": "it does not answer in time: a security group or a network ACL drops the question, or nothing "
    "listens on the port",
    "Target.FailedHealthChecks": "the connection fails, or what comes back is no HTTP: the program is not up, or "
    "listens on another port",
    "Target.ResponseCodeMismatch": "/health answers, but not 200: the proxy says itself that it cannot work (its log "
    "says why, most often the sessions table or a secret)",
    "Target.NotInUse": "the target's Availability Zone is none of the load balancer's subnets',"
    " or no listener uses the target group",
    "Target.HealthCheckDisabled": "the target group does not ask for health",
    "Target.NotRegistered": "ECS has not registered the task",
    "Target.IpUnusable": "the address belongs to a load balancer",
    "Target.InvalidState": "the target is stopped",
    "Elb.InternalError": "the load balancer itself failed to ask; it passes, or AWS's health dashboard says more",
}


def examine(examination: Examination) -> Iterator[Finding]:
    """Find targets that get no visitors, and that there are too few."""
    arn = examination.stack.physical_id("ProxyTargetGroup")
    answer = examination.aws.ask("elbv2", "describe_target_health", missing=["TargetGroupNotFound"], TargetGroupArn=arn)
    targets = answer["TargetHealthDescriptions"] if answer else []
    sick: dict[str, list[Document]] = {}
    for target in targets:
        if target["TargetHealth"]["State"] not in _PASSING | {"healthy"}:
            sick.setdefault(target["TargetHealth"].get("Reason", ""), []).append(target)
    for reason, same in sick.items():
        yield _sick(arn, reason, same)
    yield from _too_few(examination, arn, targets)


def _sick(arn: str, reason: str, targets: list[Document]) -> Finding:
    names = ", ".join(f"{one['Target']['Id']}:{one['Target'].get('Port', '')}" for one in targets)
    health = targets[0]["TargetHealth"]
    words = health.get("Description", "")
    return Finding(
        resource=arn,
        problem=f"The load balancer finds {names} {health['State']}: {reason or 'no reason given'}"
        f"{f' ({words})' if words else ''}; {_PLAINLY.get(reason, 'AWS says no more')}.",
        meaning="No visitor is led there; with no healthy target session URLs answer 502, 503 or 504.",
        mend="Mend in the template what the reason names, or the image, and `sam deploy`; the proxy's log says what "
        "the proxy itself knows.",
        confirm=f"aws elbv2 describe-target-health --target-group-arn {arn}",
    )


def _too_few(examination: Examination, arn: str, targets: list[Document]) -> Iterator[Finding]:
    service = proxy_service(examination)
    # A task that is being started is not registered yet: how many run is proxy-service's question.
    running = min(service["desiredCount"], service["runningCount"]) if service else 0
    there = [one["TargetHealth"]["State"] for one in targets if one["TargetHealth"]["State"] != "draining"]
    if len(there) < running:
        yield Finding(
            resource=arn,
            problem=f"Only {len(there)} targets are registered, {there.count('healthy')} of them healthy; the proxy's "
            f"service runs {running} tasks.",
            meaning="Fewer tasks than planned carry the visitors, or none.",
            mend="See the service's events for why its tasks are not registered: an ordinary `sam deploy` of the "
            "template ties service and target group together.",
            confirm=f"aws elbv2 describe-target-health --target-group-arn {arn}",
        )


CHECK = Check(
    name="target-health",
    question="Does the load balancer find the proxy tasks healthy?",
    examine=examine,
    actions=("elasticloadbalancing:DescribeTargetHealth", SERVICES_ACTION),
    behind=(
        "load-balancer",
        "listener",
        "listener-rule",
        "target-group",
        "proxy-ingress",
        "environment",
        "proxy-service",
        "images",
    ),
)

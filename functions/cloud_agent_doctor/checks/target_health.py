"""Does the load balancer find the proxy's tasks healthy?

Checks the health the load balancer itself reports for each target: as many must be healthy as the service runs.
Targets that were just registered or are draining don't count. For each other one the finding gives AWS's reason and
its usual cause.

Visitors reach healthy targets only; with none, the load balancer tries them all and session URLs get 502, 503 or 504.
Skipped while an earlier hop is broken: it could only repeat that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers.proxy_service import ACTION as SERVICES_ACTION
from cloud_agent_doctor.containers.proxy_service import proxy_service
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]

_PASSING = {"initial", "draining"}
_CAUSES = {
    "Target.Timeout": "it doesn't respond in time: a security group or a network ACL drops the request, or nothing "
    "listens on the port",
    "Target.FailedHealthChecks": "the connection fails, or the response isn't HTTP: the program isn't running, or "
    "listens on another port",
    "Target.ResponseCodeMismatch": "/health responds, but not with 200: the proxy itself reports that it can't work "
    "(its log says why, most often the sessions table or a secret)",
    "Target.NotInUse": "the load balancer has no subnet in the target's Availability Zone, or no listener uses the "
    "target group",
    "Target.HealthCheckDisabled": "health checks are disabled for the target group",
    "Target.NotRegistered": "ECS hasn't registered the task",
    "Target.IpUnusable": "the address belongs to a load balancer",
    "Target.InvalidState": "the target is stopped",
    "Elb.InternalError": "the load balancer's health check failed internally; it recovers, or see the AWS Health "
    "Dashboard",
}


def run(context: CheckContext) -> Iterator[Finding]:
    """Find unhealthy targets, and too few of them."""
    arn = context.stack.physical_id("ProxyTargetGroup")
    response = context.aws.describe(
        "elbv2", "describe_target_health", missing=["TargetGroupNotFound"], TargetGroupArn=arn
    )
    targets = response["TargetHealthDescriptions"] if response else []
    unhealthy: dict[str, list[Document]] = {}
    for target in targets:
        if target["TargetHealth"]["State"] not in _PASSING | {"healthy"}:
            unhealthy.setdefault(target["TargetHealth"].get("Reason", ""), []).append(target)
    for reason, same in unhealthy.items():
        yield _unhealthy(arn, reason, same)
    yield from _too_few(context, arn, targets)


def _unhealthy(arn: str, reason: str, targets: list[Document]) -> Finding:
    names = ", ".join(f"{one['Target']['Id']}:{one['Target'].get('Port', '')}" for one in targets)
    health = targets[0]["TargetHealth"]
    description = health.get("Description", "")
    return Finding(
        resource=arn,
        problem=f"The load balancer reports {names} as {health['State']}: {reason or 'no reason given'}"
        f"{f' ({description})' if description else ''}; {_CAUSES.get(reason, 'AWS gives no details')}.",
        impact="Visitors don't reach it; with no healthy target session URLs get 502, 503 or 504.",
        remediation="Fix what the reason names in the template, or the image, and `sam deploy`; see the proxy's log "
        "for its own errors.",
        confirm=f"aws elbv2 describe-target-health --target-group-arn {arn}",
    )


def _too_few(context: CheckContext, arn: str, targets: list[Document]) -> Iterator[Finding]:
    service = proxy_service(context)
    # A task that's starting isn't registered yet: how many run is proxy-service's question.
    running = min(service["desiredCount"], service["runningCount"]) if service else 0
    there = [one["TargetHealth"]["State"] for one in targets if one["TargetHealth"]["State"] != "draining"]
    if len(there) < running:
        yield Finding(
            resource=arn,
            problem=f"Only {len(there)} targets are registered, {there.count('healthy')} of them healthy; the proxy's "
            f"service runs {running} tasks.",
            impact="Fewer tasks than planned serve visitors, or none.",
            remediation="See the service's events for why its tasks aren't registered; an ordinary `sam deploy` "
            "attaches the service to the target group again.",
            confirm=f"aws elbv2 describe-target-health --target-group-arn {arn}",
        )


CHECK = Check(
    name="target-health",
    question="Does the load balancer find the proxy's tasks healthy?",
    run=run,
    actions=("elasticloadbalancing:DescribeTargetHealth", SERVICES_ACTION),
    depends_on=(
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

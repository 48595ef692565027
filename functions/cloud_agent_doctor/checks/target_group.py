"""Is the proxy's target group configured as the proxy needs it?

Checks the target group the stack recorded: it must exist in the stack's VPC, take IP addresses (target type ip) over
HTTP on port 8080, request `/health` on the traffic port and accept only 200 as healthy; and the load balancer in use
must use it.

With another port or path every proxy task counts as unhealthy, and visitors get 502 or 503. It's the stack's own: a
deployment restores it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.load_balancer.in_use import ACTIONS, load_balancer_in_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_EXPECTED = {
    "TargetType": "ip",
    "Protocol": "HTTP",
    "Port": 8080,
    "HealthCheckEnabled": True,
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPath": "/health",
    "HealthCheckPort": "traffic-port",
    "Matcher": {"HttpCode": "200"},
}


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a target group that's gone, misconfigured, or unused."""
    stack = context.stack
    arn = stack.physical_id("ProxyTargetGroup")
    response = context.aws.describe(
        "elbv2", "describe_target_groups", missing=["TargetGroupNotFound"], TargetGroupArns=[arn]
    )
    if not response or not response["TargetGroups"]:
        yield _finding(context, f"The target group {arn} doesn't exist.", ("ProxyTargetGroup",))
        return
    group = response["TargetGroups"][0]
    expected = _EXPECTED | {"VpcId": stack.parameters["VpcId"]}
    amiss = [
        f"{name} is {group.get(name)}, not {value}" for name, value in expected.items() if group.get(name) != value
    ]
    if amiss:
        yield _finding(context, f"The target group {arn} is misconfigured: {'; '.join(amiss)}.", ("ProxyTargetGroup",))
    load_balancer = load_balancer_in_use(context)
    if load_balancer and load_balancer.arn not in group.get("LoadBalancerArns", ()):
        has = ", ".join(group.get("LoadBalancerArns", ())) or "no load balancer"
        yield _finding(
            context,
            f"The target group {arn} is used by {has}, not by the load balancer in use, {load_balancer.arn}.",
            ("UatListenerRule",),
        )


def _finding(context: CheckContext, problem: str, logical_ids: tuple[str, ...]) -> Finding:
    arn = context.stack.physical_id("ProxyTargetGroup")
    return Finding(
        resource=arn,
        problem=problem,
        impact="The load balancer has no healthy proxy: session URLs get 502 or 503.",
        remediation=revert_drift(context.stack),
        confirm=f"aws elbv2 describe-target-groups --target-group-arns {arn}",
        logical_ids=logical_ids,
    )


CHECK = Check(
    name="target-group",
    question="Is the proxy's target group configured as the proxy needs it?",
    run=run,
    actions=(*ACTIONS, "elasticloadbalancing:DescribeTargetGroups"),
    suppress_repeats=True,  # a missing rule leaves the group without a load balancer
)

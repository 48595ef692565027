"""Is the proxy's target group as the proxy needs it?

Looks at the target group that the stack recorded: it must exist in the stack's VPC, take addresses (target type ip) by
HTTP on port 8080, ask for `/health` on the port that gets the traffic and take 200 alone for healthy; and the load
balancer in use must have it.

With another port or path every proxy task counts as unhealthy, and visitors see 502 or 503. It is the stack's, and is
brought back by a deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.load_balancer.load_balancer_in_use import ACTIONS, load_balancer_in_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

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


def examine(examination: Examination) -> Iterator[Finding]:
    """Find a target group that is gone, is another than the template's, or is nobody's."""
    stack = examination.stack
    arn = stack.physical_id("ProxyTargetGroup")
    answer = examination.aws.ask(
        "elbv2", "describe_target_groups", missing=["TargetGroupNotFound"], TargetGroupArns=[arn]
    )
    if not answer or not answer["TargetGroups"]:
        yield _finding(examination, f"The target group {arn} does not exist.", ("ProxyTargetGroup",))
        return
    group = answer["TargetGroups"][0]
    expected = _EXPECTED | {"VpcId": stack.parameters["VpcId"]}
    amiss = [
        f"{name} is {group.get(name)}, not {value}" for name, value in expected.items() if group.get(name) != value
    ]
    if amiss:
        yield _finding(examination, f"Of the target group {arn} {'; '.join(amiss)}.", ("ProxyTargetGroup",))
    load_balancer = load_balancer_in_use(examination)
    if load_balancer and load_balancer.arn not in group.get("LoadBalancerArns", ()):
        has = ", ".join(group.get("LoadBalancerArns", ())) or "no load balancer"
        yield _finding(
            examination,
            f"The target group {arn} is used by {has}, not by the load balancer in use, {load_balancer.arn}.",
            ("UatListenerRule",),
        )


def _finding(examination: Examination, problem: str, logical_ids: tuple[str, ...]) -> Finding:
    arn = examination.stack.physical_id("ProxyTargetGroup")
    return Finding(
        resource=arn,
        problem=problem,
        meaning="The load balancer finds no healthy proxy: session URLs answer 502 or 503.",
        mend=revert(examination.stack),
        confirm=f"aws elbv2 describe-target-groups --target-group-arns {arn}",
        logical_ids=logical_ids,
    )


CHECK = Check(
    name="target-group",
    question="Is the proxy's target group as the proxy needs it?",
    examine=examine,
    actions=(*ACTIONS, "elasticloadbalancing:DescribeTargetGroups"),
    only_new=True,  # a rule that is missing leaves the group without a load balancer
)

"""Defect: a target group knows only the load balancers whose listeners forward to it by default, not by a rule.

AWS documents LoadBalancerArns of DescribeTargetGroups as the load balancer that routes traffic to the group, and
its filter LoadBalancerArn likewise. A group that no listener and no rule forwards to belongs to none.

Source: SDK model "elbv2": TargetGroup.LoadBalancerArns and DescribeTargetGroupsInput.LoadBalancerArn. That rules
count, too: none found; assumed.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb

from embedded_aws.seam import wrap_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Json = dict[str, Any]


def apply() -> None:
    """Look at the listeners and their rules whenever target groups are described."""
    wrap_entry(alb._ACTION_MAP, "DescribeTargetGroups", _describe)


def _describe(original: Callable[..., Any], params: Json) -> Any:  # noqa: ANN401 - passed through
    routes = set(_routes())
    for arn, group in alb._tgs.items():
        group["LoadBalancerArns"] = sorted(balancer for balancer, target in routes if target == arn)
    return original(params)


def _routes() -> Iterator[tuple[str, str]]:
    """Every pair of a load balancer and a target group that it forwards to."""
    for listener_arn, listener in alb._listeners.items():
        rules = [rule for rule in alb._rules.values() if rule["ListenerArn"] == listener_arn]
        actions = [*listener["DefaultActions"], *(action for rule in rules for action in rule["Actions"])]
        for action in actions:
            if listener["LoadBalancerArn"] in alb._lbs and "TargetGroupArn" in action:
                yield listener["LoadBalancerArn"], action["TargetGroupArn"]

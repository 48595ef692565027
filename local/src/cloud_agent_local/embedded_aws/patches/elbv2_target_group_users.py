"""Defect: a target group does not know which load balancers and rules forward to it.

ministack notes a load balancer when a listener's default action is created, and never again. AWS documents
LoadBalancerArns as the load balancers that route traffic to the target group, and ResourceInUse for the deletion of
one that a rule or a listener still forwards to.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb

from cloud_agent_local.embedded_aws.patches.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Params = dict[str, Any]


def apply() -> None:
    """Read from the rules, of which each listener's default is one, who uses a target group."""
    wrap(alb, "_describe_tgs", _describe)
    wrap(alb, "_delete_tg", _delete)
    alb._ACTION_MAP |= {"DescribeTargetGroups": alb._describe_tgs, "DeleteTargetGroup": alb._delete_tg}


def _describe(original: Callable[..., object], params: Params) -> object:
    for arn, group in alb._tgs.items():
        group["LoadBalancerArns"] = _users(arn)
    return original(params)


def _delete(original: Callable[..., object], params: Params) -> object:
    arn = alb._p(params, "TargetGroupArn")
    if _users(arn):
        return alb._error("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    return original(params)


def _users(arn: str) -> list[str]:
    listeners = [rule["ListenerArn"] for rule in alb._rules.values() if arn in _targets(rule)]
    return sorted({alb._listeners[one]["LoadBalancerArn"] for one in listeners if one in alb._listeners})


def _targets(rule: dict[str, Any]) -> set[str]:
    actions = rule.get("Actions", [])
    weighted = [one for action in actions for one in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return {one["TargetGroupArn"] for one in [*actions, *weighted] if one.get("TargetGroupArn")}

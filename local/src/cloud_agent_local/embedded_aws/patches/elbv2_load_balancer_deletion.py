"""Defect: DeleteLoadBalancer ignores deletion protection, and leaves listeners and their rules behind.

AWS documents OperationNotPermitted while deletion protection is enabled, and that deleting a load balancer also deletes
its listeners; their rules go with them.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb

from cloud_agent_local.embedded_aws.patches.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable


def apply() -> None:
    """Refuse to delete what is protected; delete listeners and rules with their load balancer."""
    wrap(alb, "_delete_lb", _delete)
    alb._ACTION_MAP["DeleteLoadBalancer"] = alb._delete_lb


def _delete(original: Callable[..., object], params: dict[str, Any]) -> object:
    arn = alb._p(params, "LoadBalancerArn")
    if {"Key": "deletion_protection.enabled", "Value": "true"} in alb._lb_attrs.get(arn, []):
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        return alb._error("OperationNotPermitted", message)
    for listener in [one for one in alb._listeners.values() if one["LoadBalancerArn"] == arn]:
        alb._delete_listener({"ListenerArn": listener["ListenerArn"]})
    return original(params)

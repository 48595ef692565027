"""Defect: DeleteLoadBalancer leaves the load balancer's listeners and their rules behind.

AWS documents that deleting a load balancer also deletes its listeners; their rules go with them.

Source: SDK model "elbv2": DeleteLoadBalancer ("also deletes its listeners"). Of the rules none found; assumed.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb

from embedded_aws.seam import wrap_entry

if TYPE_CHECKING:
    from collections.abc import Callable


def apply() -> None:
    """Delete listeners and rules with their load balancer."""
    wrap_entry(alb._ACTION_MAP, "DeleteLoadBalancer", _delete)


def _delete(original: Callable[..., object], params: dict[str, Any]) -> object:
    arn = alb._p(params, "LoadBalancerArn")
    answer = original(params)
    if arn not in alb._lbs:  # it was not protected
        for listener in [one for one in alb._listeners.values() if one["LoadBalancerArn"] == arn]:
            alb._delete_listener({"ListenerArn": listener["ListenerArn"]})
    return answer

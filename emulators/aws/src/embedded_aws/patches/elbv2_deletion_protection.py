"""Defect: a load balancer with deletion protection is deleted like any other.

AWS documents for `deletion_protection.enabled` that the load balancer cannot be deleted, by the API
(OperationNotPermitted) or by CloudFormation (DELETE_FAILED), until the attribute is false.

Source: SDK model "elbv2": DeleteLoadBalancer and LoadBalancerAttribute.Key; Elastic Load Balancing: Application Load
Balancers, "Delete an Application Load Balancer".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb

from embedded_aws.seam import wrap_entry, wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable


def apply() -> None:
    """Refuse, for callers of the API and for CloudFormation."""
    wrap_entry(alb._ACTION_MAP, "DeleteLoadBalancer", _delete_load_balancer)
    wrap_handler("AWS::ElasticLoadBalancingV2::LoadBalancer", "delete", _delete_resource)


def _delete_load_balancer(original: Callable[..., Any], params: dict[str, Any]) -> Any:  # noqa: ANN401 - passed through
    arn = alb._p(params, "LoadBalancerArn")
    if refusal := _refusal(arn):
        return alb._error("OperationNotPermitted", refusal)
    return original(params)


def _delete_resource(original: Callable[..., None], arn: str, props: dict[str, Any]) -> None:
    if refusal := _refusal(arn):
        raise ValueError(refusal)
    original(arn, props)


def _refusal(arn: str) -> str:
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    if protection not in alb._lb_attrs.get(arn, []):
        return ""
    return f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"

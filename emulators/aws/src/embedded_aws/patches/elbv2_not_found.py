"""Defect: listeners and rules that are gone, or of what is gone, are described as an empty list.

AWS documents ListenerNotFound, RuleNotFound and LoadBalancerNotFound for DescribeListeners and DescribeRules.

Source: SDK model "elbv2": DescribeListeners and DescribeRules, their errors.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb

from embedded_aws.seam import wrap_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    Params = dict[str, Any]


def apply() -> None:
    """Refuse to describe what is not there."""
    wrap_entry(alb._ACTION_MAP, "DescribeListeners", _describe_listeners)
    wrap_entry(alb._ACTION_MAP, "DescribeRules", _describe_rules)


def _describe_listeners(original: Callable[..., object], params: Params) -> object:
    return (
        _refusal("LoadBalancerNotFound", _given(params, "LoadBalancerArn"), alb._lbs)
        or _refusal("ListenerNotFound", alb._parse_member_list(params, "ListenerArns"), alb._listeners)
        or original(params)
    )


def _describe_rules(original: Callable[..., object], params: Params) -> object:
    return (
        _refusal("ListenerNotFound", _given(params, "ListenerArn"), alb._listeners)
        or _refusal("RuleNotFound", alb._parse_member_list(params, "RuleArns"), alb._rules)
        or original(params)
    )


def _given(params: Params, name: str) -> list[str]:
    value = alb._p(params, name)
    return [value] if value else []


def _refusal(error: str, arns: Iterable[str], known: Container[str]) -> object:
    missing = [arn for arn in arns if arn not in known]
    what = error.removesuffix("NotFound")
    return alb._error(error, f"{what} '{missing[0]}' not found") if missing else None

"""Defect: an ECS service whose numbers come from parameters keeps them as text.

CloudFormation hands every parameter over as a string and converts it to the type that the resource's schema
documents: DesiredCount and HealthCheckGracePeriodSeconds of AWS::ECS::Service are integers. ministack subtracts
from the text and fails the stack.

Source: CloudFormation schema of AWS::ECS::Service, where both properties are integers.
Upstream: not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedded_aws.seam import wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable

_INTEGERS = ("DesiredCount", "HealthCheckGracePeriodSeconds")


def apply() -> None:
    """Convert before the service is created or updated."""
    wrap_handler("AWS::ECS::Service", "create", _create)
    wrap_handler("AWS::ECS::Service", "update", _update)


def _create(original: Callable[..., Any], name: str, props: dict[str, Any], stack: str) -> Any:  # noqa: ANN401 - passed through
    return original(name, _converted(props), stack)


def _update(
    original: Callable[..., Any],
    physical_id: str,
    old: dict[str, Any],
    new: dict[str, Any],
    *rest: Any,  # noqa: ANN401 - passed through
) -> Any:  # noqa: ANN401 - passed through
    return original(physical_id, _converted(old), _converted(new), *rest)


def _converted(props: dict[str, Any]) -> dict[str, Any]:
    return {**props, **{name: int(props[name]) for name in _INTEGERS if name in props}}

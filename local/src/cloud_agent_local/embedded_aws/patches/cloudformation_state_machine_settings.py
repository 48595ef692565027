"""Defect: a state machine's LoggingConfiguration keeps the template's spelling, its TracingConfiguration is not kept.

CloudFormation documents both with capitals, the API in lower camel case: DescribeStateMachine, which answers the
former as it is, seems to log nothing.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import stepfunctions

from cloud_agent_local.embedded_aws.patches.seam import wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    Provisioned = tuple[str, dict[str, str]]
    Properties = dict[str, Any]

_TYPE = "AWS::StepFunctions::StateMachine"


def apply() -> None:
    """Keep both as the API knows them."""
    wrap_handler(_TYPE, "create", _create)
    wrap_handler(_TYPE, "update", _update)


def _create(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    arn, attributes = original(*args)
    _, props, _ = args
    _configure(arn, props)
    return arn, attributes


def _update(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    arn, attributes = original(*args)
    _, _, new, *_ = args
    _configure(arn, new)
    return arn, attributes


def _configure(arn: str, props: Properties) -> None:
    machine = stepfunctions._state_machines[arn]
    if "LoggingConfiguration" in props:
        machine["loggingConfiguration"] = _as_in_the_api(props["LoggingConfiguration"])
    machine["tracingConfiguration"] = _as_in_the_api(props.get("TracingConfiguration", {"Enabled": False}))


def _as_in_the_api(value: Any) -> Any:  # noqa: ANN401 - whatever a template holds
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _as_in_the_api(one) for name, one in value.items()}
    return [_as_in_the_api(one) for one in value] if isinstance(value, list) else value

"""Defect: a state machine's LoggingConfiguration is kept by the template's names, its TracingConfiguration not at all.

DescribeStateMachine documents both by the API's names, so that a machine of the template is described as one that
neither logs nor traces.

Source: SDK model "stepfunctions": DescribeStateMachineOutput.loggingConfiguration and
DescribeStateMachineOutput.tracingConfiguration.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import stepfunctions

from embedded_aws.seam import wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    Provisioned = tuple[str, dict[str, str]]
    Properties = dict[str, Any]

_TYPE = "AWS::StepFunctions::StateMachine"


def apply() -> None:
    """Keep both as the API has them."""
    wrap_handler(_TYPE, "create", _create)
    wrap_handler(_TYPE, "update", _update)


def _create(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    arn, attributes = original(*args)
    _, props, _ = args
    _configure(arn, props)
    return arn, attributes


def _update(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    arn, attributes = original(*args)
    _, _, props, *_ = args
    _configure(arn, props)
    return arn, attributes


def _configure(arn: str, props: Properties) -> None:
    logging = props.get("LoggingConfiguration") or {}
    groups = [one["CloudWatchLogsLogGroup"]["LogGroupArn"] for one in logging.get("Destinations", [])]
    stepfunctions._state_machines[arn] |= {
        "loggingConfiguration": {
            "level": logging.get("Level", "OFF"),
            "includeExecutionData": _is_true(logging.get("IncludeExecutionData")),
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}} for group in groups],
        },
        "tracingConfiguration": {"enabled": _is_true((props.get("TracingConfiguration") or {}).get("Enabled"))},
    }


def _is_true(value: object) -> bool:
    """Whether a template's boolean, which may be spelt as a string, is true."""
    return str(value).lower() == "true"

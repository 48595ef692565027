"""Defect: StartExecution refuses a name in use even when the request is the same.

AWS documents StartExecution as idempotent for standard workflows: the name and the input of an execution that
still runs answer with that execution. Another input, or an execution that has ended, is ExecutionAlreadyExists.

Source: SDK model "stepfunctions": StartExecution.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.core.responses import json_response
from ministack.services import stepfunctions

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def apply() -> None:
    """Answer a repeated request with what it started."""
    wrap(stepfunctions, "_start_execution", _start_execution)


def _start_execution(original: Callable[[Json], object], request: Json) -> object:
    machine_arn = request.get("stateMachineArn", "")
    for execution in list(stepfunctions._executions.values()):
        same = (machine_arn, request.get("name"), request.get("input", "{}"), "RUNNING")
        if same == tuple(execution[key] for key in ("stateMachineArn", "name", "input", "status")):
            return json_response({key: execution[key] for key in ("executionArn", "startDate")})
    return original(request)

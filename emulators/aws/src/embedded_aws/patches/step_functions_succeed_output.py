"""Defect: a Succeed state's Output is ignored, and the execution's output is whatever the state before it had.

AWS documents Output on Succeed as on every JSONata state but Fail: it becomes the execution's output.

Source: AWS Step Functions Developer Guide, "Transforming data with JSONata in Step Functions".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import stepfunctions

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def apply() -> None:
    """Evaluate Output where the path of JSONPath's OutputPath would be applied."""
    wrap(stepfunctions, "_apply_output_path", _apply_output_path)


def _apply_output_path(original: Callable[..., object], state: Json, data: object, context: Json) -> object:
    if state.get("Type") == "Succeed" and stepfunctions._state_query_language(state, context) == "JSONata":
        return stepfunctions._apply_jsonata_output(state, data, context, default=data)
    return original(state, data, context)

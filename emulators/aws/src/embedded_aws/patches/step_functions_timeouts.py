"""Defect: TimeoutSeconds and HeartbeatSeconds given as a JSONata expression fail the state.

AWS documents both as a number or a JSONata expression that evaluates to one (`"{% $number('300') %}"`), as a
definition substitution that must stay a number needs. ministack hands the expression's text to a wait.

Source: Amazon States Language specification, "Timeouts".
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

_FIELDS = ("TimeoutSeconds", "HeartbeatSeconds")


def apply() -> None:
    """Evaluate both fields before the task starts."""
    wrap(stepfunctions, "_execute_task", _execute_task)


def _execute_task(
    original: Callable[..., tuple[object, str | None]],
    state: Json,
    state_input: object,
    execution: Json,
    context: Json,
) -> tuple[object, str | None]:
    expressions = [name for name in _FIELDS if isinstance(state.get(name), str)]
    try:
        evaluated = {
            name: stepfunctions._jsonata_state_field(state, name, "number", state_input, context)
            for name in expressions
        }
    except stepfunctions._ExecutionError as error:
        return _caught(error, state, state_input, context)
    return original(state | evaluated, state_input, execution, context)


def _caught(error: Exception, state: Json, state_input: object, context: Json) -> tuple[object, str]:
    """Let the state's own Catch see a failed evaluation like any other error of the state."""
    details: Any = error
    catcher = stepfunctions._find_matching_catcher(state.get("Catch", []), details.error)
    if catcher is None:
        raise error
    language = stepfunctions._state_query_language(state, context)
    error_output = {"Error": details.error, "Cause": details.cause}
    output = stepfunctions._apply_catcher(catcher, state_input, context, language, error_output)
    return output, catcher["Next"]

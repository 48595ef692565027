"""Defect: the expressions of one Assign see the values that Assign itself has just given.

AWS documents that all of them are evaluated with the values variables had on entering the state, and that the
new values hold from the next state on.

Source: AWS Step Functions Developer Guide, "Passing data between states with variables".
Upstream: not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import stepfunctions

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def apply() -> None:
    """Evaluate each entry with the old values, then give all new ones at once."""
    wrap(stepfunctions, "_apply_state_assign", _apply_state_assign)


def _apply_state_assign(
    original: Callable[..., None], state: Json, state_input: object, context: Json, **outcome: object
) -> None:
    assigned: Json = {}
    for name, template in (state.get("Assign") or {}).items():
        one = context | {"variables": dict(context.get("variables", {}))}
        original(state | {"Assign": {name: template}}, state_input, one, **outcome)
        if name in one["variables"]:
            assigned[name] = one["variables"][name]
    context.setdefault("variables", {}).update(assigned)

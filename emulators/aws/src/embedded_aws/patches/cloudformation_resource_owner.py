"""Defect: DescribeStackResources does not look for the stack that a physical resource belongs to.

AWS documents PhysicalResourceId in StackName's place: the answer has all resources of the stack that the resource
belongs to, and is a ValidationError where it belongs to none.

Source: SDK model "cloudformation": DescribeStackResources and DescribeStackResourcesInput.PhysicalResourceId.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers

from embedded_aws.seam import wrap_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def apply() -> None:
    """Find the stack first."""
    wrap_entry(handlers._ACTION_HANDLERS, "DescribeStackResources", _describe)


def _describe(original: Callable[..., Any], params: Json) -> Any:  # noqa: ANN401 - passed through
    physical_id = handlers._p(params, "PhysicalResourceId")
    if not physical_id or handlers._p(params, "StackName"):
        return original(params)
    owner = next((stack for stack in cloudformation._stacks.values() if _owns(stack, physical_id)), None)
    if owner is None:
        return handlers._error("ValidationError", f"Stack for {physical_id} does not exist")
    # Both are as the query parser leaves them: a list of values by name.
    return original({**params, "StackName": [owner["StackId"]]})


def _owns(stack: Json, physical_id: str) -> bool:
    return stack.get("StackStatus") != "DELETE_COMPLETE" and any(
        resource.get("PhysicalResourceId") == physical_id for resource in stack.get("_resources", {}).values()
    )

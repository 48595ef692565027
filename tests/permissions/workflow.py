"""What the workflow's definition asks of AWS: its integrations, and what they bring with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.permissions.actions import TRANSACTION_ITEMS, actions_of, dependent_actions

if TYPE_CHECKING:
    from collections.abc import Iterator

    Document = dict[str, Any]

_INTEGRATION = re.compile(
    r"arn:aws:states:::(?P<sdk>aws-sdk:)?(?P<service>[a-z0-9]+):(?P<operation>\w+)(?P<token>\.waitForTaskToken)?"
)
# Amazon ECS Developer Guide, "Tagging resources during creation": whoever has RunTask tag its task
# needs ecs:TagResource.
_TAGGING_ON_CREATION = {"PropagateTags", "Tags", "EnableECSManagedTags"}


def actions_of_workflow(definition: Document) -> set[str]:
    """Return what the states of a definition take; their inner states too.

    Raises:
        ValueError: an integration of another kind, such as one that waits for a job (.sync) and takes more.
    """
    found: set[str] = set()
    for state in _tasks(definition):
        integration = _INTEGRATION.fullmatch(state["Resource"])
        if integration is None:
            raise ValueError(f"{state['Resource']}: what this integration takes is not known")
        name = integration["operation"]
        actions = actions_of(integration["service"], name[0].upper() + name[1:])
        arguments = state.get("Arguments", {})
        actions |= {TRANSACTION_ITEMS[kind] for item in arguments.get("TransactItems", ()) for kind in item}
        if "ecs:RunTask" in actions and _TAGGING_ON_CREATION & set(arguments):
            actions.add("ecs:TagResource")
        found |= actions.union(*map(dependent_actions, actions))
    return found


def _tasks(node: object) -> Iterator[Document]:
    """Every task, those inside of maps and branches too."""
    if isinstance(node, dict):
        if node.get("Type") == "Task":
            yield node
        for value in node.values():
            yield from _tasks(value)
    elif isinstance(node, list):
        for value in node:
            yield from _tasks(value)

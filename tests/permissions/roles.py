"""What each role of the template needs: what its program calls, what the workflow asks, what AWS does in its name."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.mutation import needs
from tests.mutation.grants import short
from tests.permissions.actions import actions_of_use
from tests.permissions.reach import Reach
from tests.permissions.source import Place
from tests.permissions.workflow import actions_of_workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.permissions.types import Types

    Document = dict[str, Any]

# What a task's image begins with (its Dockerfile's ENTRYPOINT), where that's a program that calls AWS.
_PROGRAMS = {"ProxyTaskDefinition": Place("cloud_agent_proxy.program", "main")}


def needed(resources: Document, definition: Document, types: Types) -> dict[str, dict[str, set[str]]]:
    """Return the actions that each role needs, each with what calls it."""
    found: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
    for role, program in programs(resources):
        _add(found[role], called_from(types, program))
    for resource in resources.values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            actions = actions_of_workflow(definition)
            _add(found[short(resource["Properties"]["RoleArn"])], {action: {"the workflow"} for action in actions})
    for of in needs.TESTS.values():
        for need in of(resources):
            _add(found[need.role], {need.action: {need.why}})
    return dict(found)


def programs(resources: Document) -> Iterator[tuple[str, Place]]:
    """Each function and each task whose code calls AWS: its role, and where it begins."""
    for name, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Lambda::Function":
            module, _, handler = properties["Handler"].rpartition(".")
            yield short(properties["Role"]), Place(module, handler)
        elif name in _PROGRAMS:
            yield short(properties["TaskRoleArn"]), _PROGRAMS[name]


def called_from(types: Types, *starts: Place) -> dict[str, set[str]]:
    """Return the actions that can be reached from some definitions, each with the places that call it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for use in Reach(types, *starts).uses:
        for action in actions_of_use(use):
            found[action].add(str(use.at))
    return dict(found)


def _add(to: dict[str, set[str]], found: dict[str, set[str]]) -> None:
    for action, reasons in found.items():
        to.setdefault(action, set()).update(reasons)

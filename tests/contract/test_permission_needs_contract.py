"""Each role allows the actions that are called in its name, and no other: derived from the code and the workflow.

docs/permissions.md says what this proves, and what it leaves to the run of `make mutation`.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.mutation.grants import Grant, grants
from tests.permissions.actions import operations
from tests.permissions.reach import Reach
from tests.permissions.roles import called_from, needed, programs
from tests.permissions.source import Place, Sources, project
from tests.permissions.types import Types

from cloud_agent_cli import first_run
from cloud_agent_doctor.checks import CHECKS, stack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cloud_agent_doctor.engine.check import Check

    Document = dict[str, Any]
    Calls = dict[str, dict[str, set[str]]]

COMMAND = Place("cloud_agent_cli.main", "main")
_REPORT_FAILURE = "cloud_agent.workflow.report_failure"


@pytest.fixture(scope="module")
def types() -> Types:
    return Types(project())


@pytest.fixture(scope="module")
def calls(resources: Document, definition: Document, types: Types) -> Calls:
    """The actions that each role needs, each with what calls it."""
    return needed(resources, definition, types)


@pytest.fixture(scope="module")
def granted(resources: Document) -> list[Grant]:
    return grants(resources)


def differences(granted: Iterable[Grant], calls: Calls) -> list[str]:
    """What a role lacks, with who calls it, and what it allows though nothing calls it."""
    allowed: dict[str, set[str]] = {}
    for grant in granted:
        allowed.setdefault(grant.role, set()).add(grant.action)
    found: list[str] = []
    for role in sorted(calls.keys() | allowed.keys()):
        needs, allows = calls.get(role, {}), allowed.get(role, set())
        found += [f"{role} lacks {one}: {', '.join(sorted(needs[one]))}" for one in sorted(needs.keys() - allows)]
        found += [f"{role} allows {one}, which nothing calls" for one in sorted(allows - needs.keys())]
    return found


def test_each_role_allows_what_is_called_in_its_name_and_nothing_else(granted: list[Grant], calls: Calls) -> None:
    assert len(calls) > 15
    assert differences(granted, calls) == []


def test_each_action_less_is_found(granted: list[Grant], calls: Calls) -> None:
    for role, action in {(one.role, one.action) for one in granted}:
        left = [one for one in granted if (one.role, one.action) != (role, action)]
        (found,) = differences(left, calls)
        assert found.startswith(f"{role} lacks {action}: ")


def test_an_action_more_is_found(granted: list[Grant], calls: Calls) -> None:
    for role in calls:
        more = [*granted, Grant(role, "s3:DeleteBucket", "*")]
        assert differences(more, calls) == [f"{role} allows s3:DeleteBucket, which nothing calls"]


def test_a_call_more_is_found_with_the_function_that_makes_it(
    resources: Document, definition: Document, granted: list[Grant]
) -> None:
    texts, first = project().texts, "    failure = explain("
    assert first in texts[_REPORT_FAILURE]
    stops = texts[_REPORT_FAILURE].replace(first, f"    Tasks('cluster').stop('task', 'reason')\n{first}")
    changed = {_REPORT_FAILURE: f"from cloud_agent.adapters.aws.tasks import Tasks\n{stops}"}
    assert differences(granted, needed(resources, definition, Types(Sources(texts | changed)))) == [
        "ReportFailureFunctionRole lacks ecs:StopTask: cloud_agent.adapters.aws.tasks.Tasks.stop"
    ]


def test_an_integration_more_is_found(
    resources: Document, definition: Document, types: Types, granted: list[Grant]
) -> None:
    changed = copy.deepcopy(definition)
    changed["States"]["Stop Task"]["Resource"] = "arn:aws:states:::aws-sdk:ecs:executeCommand"
    assert differences(granted, needed(resources, changed, types)) == [
        "SessionStateMachineRole lacks ecs:ExecuteCommand: the workflow",
        "SessionStateMachineRole allows ecs:StopTask, which nothing calls",
    ]


def test_every_call_in_the_sources_is_reached_from_a_program(resources: Document, types: Types) -> None:
    """What can't be traced back to a handler or a command would be missing from its role unnoticed."""
    starts = [COMMAND, *(place for _, place in programs(resources))]
    everywhere, reached = called_from(types, *types.sources.places()), called_from(types, *starts)
    assert {action: places - reached.get(action, set()) for action, places in everywhere.items()} == {
        action: set() for action in everywhere
    }


def test_whatever_looks_like_a_call_of_aws_is_known_as_one(types: Types) -> None:
    """A client that reaches its caller as `Any` would have no type to be known by."""
    uses = Reach(types, *types.sources.places()).uses
    methods = {name for service in {use.service for use in uses} - {None} for name in operations(str(service))}
    known = {(use.at, use.method) for use in uses}
    calls = {
        (place, call.func.attr)
        for place in types.sources.places()
        if not isinstance(node := types.sources.definition(place), ast.ClassDef)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and "_" in call.func.attr
    }
    assert {(place, method) for place, method in calls - known if method in methods} == set()


@pytest.mark.parametrize("check", [*CHECKS, *first_run.CHECKS], ids=lambda check: check.name)
def test_a_check_of_the_doctor_declares_what_it_calls(check: Check, types: Types) -> None:
    starts = [Place(check.run.__module__, check.run.__name__)]
    if check is stack.CHECK:
        starts.append(Place("cloud_agent_doctor.engine.stack", "load_stack"))
    assert called_from(types, *starts).keys() == set(check.actions)


COMMANDS = {
    "doctor": "cloud_agent_cli.doctor.run",
    "doctor --first-run": "cloud_agent_cli.doctor.run_first",
    "adopt": "cloud_agent_cli.adopt.command.run",
    "restore": "cloud_agent_cli.restoration.run",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_operator_is_told_what_a_command_takes(command: str, types: Types, root: Path) -> None:
    module, _, name = COMMANDS[command].rpartition(".")
    (row,) = re.findall(
        rf"^\| `cloud-agent {command}` \| (.*) \|$", (root / "docs/doctor.md").read_text(), re.MULTILINE
    )
    assert re.findall(r"`(\S+)`", row) == sorted(called_from(types, Place(module, name)))

"""The check `state-machine`: the workflow that runs is this version's."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.functions.doctor.inside_account import AGENT_REVISION, REFUSED, Containers, agent_container

from cloud_agent_doctor.checks.state_machine import CHECK


@pytest.fixture
def account() -> Containers:
    return Containers()


def test_a_healthy_workflow_has_no_finding_and_takes_the_declared_actions(account: Containers) -> None:
    assert account.findings(CHECK) == []
    assert set(CHECK.actions) == account.asked


def test_an_edited_state_is_found_by_its_name_and_field(account: Containers) -> None:
    account.machine["definition"] = account.machine["definition"].replace('"HeartbeatSeconds"', '"OtherSeconds"', 1)
    (finding,) = account.findings(CHECK)
    assert 'state "Run Agent", HeartbeatSeconds is absent, not "{% $min([$number(' in finding.problem
    assert finding.logical_ids == ("SessionStateMachine",)


@pytest.mark.parametrize("name", ["acme-SessionsTable-1", "acme-CreateBranchFunction-1", "acme-agent"])
def test_another_resource_than_the_stacks_is_found(account: Containers, name: str) -> None:
    account.machine["definition"] = account.machine["definition"].replace(name, "others")
    (finding,) = account.findings(CHECK)
    assert "others" in finding.problem


def test_many_differences_are_reported_by_the_first_and_their_number(account: Containers) -> None:
    account.machine["definition"] = '{"States": {}}'
    (finding,) = account.findings(CHECK)
    assert finding.problem.count(" is absent") == 5
    assert "more differences" in finding.problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "EXPRESS"}, "its type is EXPRESS, not STANDARD"),
        ({"status": "DELETING"}, "its status is DELETING, not ACTIVE"),
        ({"roleArn": "arn:aws:iam::123456789012:role/admin"}, "its role is admin, not acme-SessionStateMachineRole-1"),
        ({"loggingConfiguration": {"level": "OFF"}}, "it logs at level OFF, not ALL"),
        ({"tracingConfiguration": {"enabled": False}}, "it doesn't trace"),
        ({"definition": "no JSON"}, "its definition isn't JSON"),
    ],
)
def test_a_changed_setting_is_found(account: Containers, change: dict[str, Any], words: str) -> None:
    account.machine |= change
    (finding,) = account.findings(CHECK)
    assert words in finding.problem


def test_a_log_of_inputs_and_outputs_is_found(account: Containers) -> None:
    account.machine["loggingConfiguration"]["includeExecutionData"] = True
    (finding,) = account.findings(CHECK)
    assert "it logs inputs and outputs, which hold the sessions' tokens" in finding.problem


def test_a_workflow_that_was_deleted_is_found(account: Containers) -> None:
    account.machine = {}
    (finding,) = account.findings(CHECK)
    assert "it is gone" in finding.problem
    assert finding.impact == "No session can start."


def test_a_revision_registered_by_hand_takes_the_place_of_the_stacks(account: Containers) -> None:
    by_hand = AGENT_REVISION.removesuffix("1") + "2"
    account.definitions[by_hand] = account.definition(by_hand, agent_container(account.stack))
    (finding,) = account.findings(CHECK)
    assert f"starts agents from {by_hand}, the family's latest revision" in finding.problem
    assert (by_hand, ("AgentTaskDefinition",)) == (finding.resource, finding.logical_ids)
    assert f"deregister-task-definition --task-definition {by_hand}" in finding.remediation


def test_a_definition_that_names_a_revision_is_an_edited_one(account: Containers) -> None:
    account.machine["definition"] = account.machine["definition"].replace("'acme-agent'", f"'{AGENT_REVISION}'")
    (finding,) = account.findings(CHECK)
    assert AGENT_REVISION in finding.problem
    assert "SessionStateMachine" in finding.logical_ids


def test_whoever_may_not_look_gets_the_missing_permission(account: Containers) -> None:
    account.set("stepfunctions", "DescribeStateMachine", REFUSED)
    assert account.incomplete_findings(CHECK)[1].permission == "states:DescribeStateMachine"

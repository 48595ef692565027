"""The check `environment`: every program is told what it reads, in the revision that runs."""

from __future__ import annotations

import pytest
from tests.unit.functions.doctor.inside_account import (
    AGENT_REVISION,
    HAND_MADE_REVISION,
    REFUSED,
    Containers,
    agent_container,
    proxy_container,
)

from cloud_agent_doctor.checks.environment import CHECK
from cloud_agent_doctor.settings import FUNCTIONS


@pytest.fixture
def account() -> Containers:
    return Containers()


def test_a_healthy_stack_has_no_finding_and_takes_the_declared_actions(account: Containers) -> None:
    assert account.findings(CHECK) == []
    assert set(CHECK.actions) == account.asked


def test_a_revision_of_the_proxy_made_by_hand_with_a_misspelt_name_is_the_one_finding(account: Containers) -> None:
    container = proxy_container(account.stack)
    for variable in container["environment"]:
        variable["name"] = variable["name"].replace("SESSIONS_TABLE", "SESSION_TABLE")
    account.definitions[HAND_MADE_REVISION] = account.definition(HAND_MADE_REVISION, container)
    account.runs = HAND_MADE_REVISION
    (finding,) = account.findings(CHECK)
    assert finding.resource == HAND_MADE_REVISION
    assert "SESSION_TABLE: did you mean SESSIONS_TABLE?" in finding.problem
    assert "isn't the stack's own revision" in finding.problem
    assert finding.logical_ids == ("ProxyTaskDefinition",)
    assert HAND_MADE_REVISION in finding.confirm


def test_what_still_runs_of_an_older_deployment_is_looked_at_as_well(account: Containers) -> None:
    old = account.definition(HAND_MADE_REVISION, proxy_container(account.stack) | {"environment": []})
    account.definitions[HAND_MADE_REVISION] = old
    new = {"status": "PRIMARY", "taskDefinition": account.runs, "runningCount": 0}
    draining = {"status": "ACTIVE", "taskDefinition": HAND_MADE_REVISION, "runningCount": 1}
    gone = {"status": "ACTIVE", "taskDefinition": "arn:aws:ecs:x:1:task-definition/acme-proxy:9", "runningCount": 0}
    service = {"status": "ACTIVE", "deployments": [new, draining, gone]}
    account.set("ecs", "DescribeServices", {"services": [service]})
    assert [finding.resource for finding in account.findings(CHECK)] == [HAND_MADE_REVISION]


def test_agents_are_given_the_egress_proxy_with_listed_egress_alone(account: Containers) -> None:
    proxies = [{"name": name, "value": "http://egress.acme.internal:3128"} for name in ("HTTPS_PROXY", "HTTP_PROXY")]
    account.definitions[AGENT_REVISION]["containerDefinitions"][0]["environment"] += proxies
    (finding,) = account.findings(CHECK)
    assert "nothing reads HTTPS_PROXY; nothing reads HTTP_PROXY" in finding.problem

    listed = Containers(AgentEgress="listed")
    (finding,) = listed.findings(CHECK)
    assert "HTTPS_PROXY is missing; HTTP_PROXY is missing" in finding.problem
    listed.definitions[AGENT_REVISION]["containerDefinitions"][0]["environment"] += proxies
    assert listed.findings(CHECK) == []


def test_another_table_than_the_stacks_is_found(account: Containers) -> None:
    account.environments["acme-CreateBranchFunction-1"]["SESSIONS_TABLE"] = "another"
    (finding,) = account.findings(CHECK)
    assert "SESSIONS_TABLE is 'another', not 'acme-SessionsTable-1'" in finding.problem
    assert finding.logical_ids == ("CreateBranchFunction",)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_missing_variable_is_found_in_every_function(account: Containers, function: str) -> None:
    del account.environments[account.stack.physical_id(function)]["SESSIONS_TABLE"]
    (finding,) = account.findings(CHECK)
    assert f"The environment of {function} isn't what its code reads: SESSIONS_TABLE is missing." == finding.problem
    assert finding.impact == "The function fails on every call."


def test_a_function_that_was_deleted_is_found(account: Containers) -> None:
    del account.environments["acme-WebhookFunction-1"]
    (finding,) = account.findings(CHECK)
    assert "was deleted outside CloudFormation" in finding.problem
    assert finding.logical_ids == ("WebhookFunction",)


def test_a_secret_of_the_agent_in_the_open_is_found_and_not_shown(account: Containers) -> None:
    container = agent_container(account.stack)
    container["secrets"] = []
    container["environment"].append({"name": "ANTHROPIC_API_KEY", "value": "sk-ant-very-secret"})
    account.definitions[AGENT_REVISION] = account.definition(AGENT_REVISION, container)
    (finding,) = account.findings(CHECK)
    assert "ANTHROPIC_API_KEY is in plain text" in finding.problem
    assert "very-secret" not in repr(finding)
    assert finding.logical_ids == ("AgentTaskDefinition",)


@pytest.mark.parametrize("gone", ["deregistered", "deleted"])
def test_a_task_definition_that_no_task_can_start_from_is_found(account: Containers, gone: str) -> None:
    if gone == "deleted":
        del account.definitions[AGENT_REVISION]
    else:
        account.definitions[AGENT_REVISION]["status"] = "INACTIVE"
    (finding,) = account.findings(CHECK)
    assert "SessionStateMachine uses the task definition acme-agent, which is gone" in finding.problem


def test_a_container_of_another_name_is_found(account: Containers) -> None:
    container = agent_container(account.stack) | {"name": "claude"}
    account.definitions[AGENT_REVISION] = account.definition(AGENT_REVISION, container)
    (finding,) = account.findings(CHECK)
    assert "has no container 'agent'" in finding.problem


def test_functions_that_may_not_be_looked_at_keep_nobody_from_the_containers(account: Containers) -> None:
    account.set("lambda", "GetFunctionConfiguration", REFUSED)
    account.definitions[account.runs] = account.definition(
        account.runs, proxy_container(account.stack) | {"secrets": []}
    )
    (finding,), unavailable = account.incomplete_findings(CHECK)
    assert "UAT_ACCESS_KEYS is missing" in finding.problem
    assert str(unavailable) == "not allowed: lambda:GetFunctionConfiguration"
    assert unavailable.permission == "lambda:GetFunctionConfiguration"


def test_a_stack_without_service_and_workflow_leaves_them_to_their_own_checks(account: Containers) -> None:
    account.set("ecs", "DescribeServices", {"services": [], "failures": [{"reason": "MISSING"}]})
    account.machine = {}
    assert account.findings(CHECK) == []

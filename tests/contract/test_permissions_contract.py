"""Roles: each may do what it uses, on what it uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Document = dict[str, Any]

# Actions for which IAM knows no resource narrower than all, or that a condition narrows.
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "ecs:ListTasks",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "states:SendTaskFailure",
    "states:SendTaskHeartbeat",
    "states:SendTaskSuccess",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _policies(role: Document) -> list[Document]:
    policies = role.get("Policies", [])
    if isinstance(policies, dict):  # {"Fn::If": [condition, policies, none]}
        return list(policies["Fn::If"][1])
    return list(policies)


def _statements(role: Document) -> Iterator[Document]:
    for policy in _policies(role):
        yield from _list(policy["PolicyDocument"]["Statement"])


@pytest.fixture(scope="module")
def roles(resources: Document) -> Document:
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == "AWS::IAM::Role"}


def test_no_role_may_do_everything_with_a_service(roles: Document) -> None:
    actions = {action for role in roles.values() for s in _statements(role) for action in _list(s["Action"])}
    assert "dynamodb:GetItem" in actions
    assert set() == {action for action in actions if action.endswith("*")}


def test_all_resources_are_named_only_where_no_resource_can_be(roles: Document) -> None:
    everywhere = {
        action
        for role in roles.values()
        for statement in _statements(role)
        if "*" in _list(statement["Resource"])
        for action in _list(statement["Action"])
    }
    assert WITHOUT_RESOURCE == everywhere


def test_tasks_are_listed_in_the_cluster_alone(roles: Document) -> None:
    listing = [s for role in roles.values() for s in _statements(role) if "ecs:ListTasks" in _list(s["Action"])]
    assert 4 == len(listing)
    for statement in listing:
        assert {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}}} == statement["Condition"]


def test_the_workflow_may_pass_both_roles_of_the_agents_task_and_no_other(roles: Document, resources: Document) -> None:
    passing = [s for role in roles.values() for s in _statements(role) if "iam:PassRole" in _list(s["Action"])]
    assert passing == [s for s in _statements(roles["SessionStateMachineRole"]) if s["Action"] == "iam:PassRole"]
    task = resources["AgentTaskDefinition"]["Properties"]
    assert [task["TaskRoleArn"], task["ExecutionRoleArn"]] == passing[0]["Resource"]
    assert {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}} == passing[0]["Condition"]


def test_the_workflow_may_run_both_agents_and_nothing_else(roles: Document) -> None:
    running = [s for role in roles.values() for s in _statements(role) if "ecs:RunTask" in _list(s["Action"])]
    assert running == [s for s in _statements(roles["SessionStateMachineRole"]) if s["Action"] == "ecs:RunTask"]
    staging = {"Fn::If": ["HasStagingAgent", {"Ref": "StagingAgentTaskDefinition"}, {"Ref": "AWS::NoValue"}]}
    assert [{"Ref": "AgentTaskDefinition"}, staging] == running[0]["Resource"]
    assert {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}}} == running[0]["Condition"]


def test_the_agents_container_has_no_permission_unless_bedrock_is_chosen(roles: Document) -> None:
    assert ["UsesBedrock", {"Ref": "AWS::NoValue"}] == roles["AgentTaskRole"]["Policies"]["Fn::If"][::2]
    actions = {action for s in _statements(roles["AgentTaskRole"]) for action in s["Action"]}
    assert {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"} == actions
    assert "ManagedPolicyArns" not in roles["AgentTaskRole"]


def test_each_secret_is_read_by_those_who_use_it_and_nobody_else(roles: Document) -> None:
    def reads(secret: str) -> set[str]:
        return {
            name
            for name, role in roles.items()
            for s in _statements(role)
            if "secretsmanager:GetSecretValue" in _list(s["Action"]) and {"Ref": secret} in _list(s["Resource"])
        }

    assert {"WebhookFunctionRole"} == reads("WebhookSecret")
    assert {"AgentExecutionRole"} == reads("AnthropicApiKeySecret")
    assert {"ProxyExecutionRole"} == reads("UatSignInSecret")
    assert {
        "PublishSessionFunctionRole",
        "OpenDraftPullRequestFunctionRole",
        "AnnounceSessionFunctionRole",
        "VisitCanaryFunctionRole",
        "ProxyExecutionRole",
    } == reads("UatAccessKeysSecret")
    assert {
        "WebhookFunctionRole",
        "AgentApiFunctionRole",
        "PublishSessionFunctionRole",
        "SweepIdleFunctionRole",
        "CreateBranchFunctionRole",
        "OpenDraftPullRequestFunctionRole",
        "AnnounceSessionFunctionRole",
        "CloseSessionFunctionRole",
        "ReportFailureFunctionRole",
    } == reads("GitHubSecret")


def test_whatever_is_allowed_on_all_resources_says_why_beside_it(root: Path) -> None:
    lines = (root / "template.yaml").read_text().splitlines()
    everything = [line for line in lines if re.search(r'\bResources?:.*"\*"', line)]
    assert len(WITHOUT_RESOURCE) / 4 < len(everything)
    assert [] == [line for line in everything if not re.search(r'"\*"[^#]*# \w.{20}', line)]

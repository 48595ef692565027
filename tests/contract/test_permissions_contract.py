"""Roles: each may do what it uses, on what it uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.mutation.grants import ASSUME, MANAGED, grants

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
}

FAMILIES = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task-definition"

# Resources that are named by a pattern, and why no narrower one would do; docs/permissions.md tells it to people.
PATTERNS = {
    "${ArtifactsBucket.Arn}/cache/*": "an object is named when an archive of dependencies is made",
    "${ArtifactsBucket.Arn}/transcripts/*": "an object is named when a transcript's batch or picture comes",
    "${ArtifactsBucket.Arn}/transcripts/*/workflow/*": "an object is named when a session changes its status",
    "${ArtifactsBucket.Arn}/unpublished/*": "an object is named when a session's commits can't be pushed",
    "secret:${AWS::StackName}/env/*": "people create them, for repositories that the template does not know",
    "execution:${AWS::StackName}-session:*": "an execution is named when a session is asked for",
    "task-definition/${AWS::StackName}-agent:*": "every deployment may make a revision",
    "task-definition/${AWS::StackName}-staging-agent:*": "every deployment may make a revision",
    "task/${Cluster}/*": "a task gets its id when it is run; the cluster is the stack's own",
    "role/${AWS::StackName}-*": "a role gets its name when it is made; CloudFormation begins it with the stack's",
    "stack/${AWS::StackName}/*": "the stack itself, whose id only AWS knows",
    "repository/*": "the images' parameters may name any repository of the account",
    "foundation-model/anthropic.*": "the model is a parameter",
    "inference-profile/*anthropic.*": "the model is a parameter",
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
        for name, role in roles.items()
        if name != "DoctorFunctionRole"  # it describes whatever there is: test_doctor_permissions_contract.py
        for statement in _statements(role)
        if "*" in _list(statement["Resource"])
        for action in _list(statement["Action"])
    }
    assert everywhere == WITHOUT_RESOURCE


def test_a_pattern_of_resources_stands_only_where_no_name_can(resources: Document) -> None:
    assert set(PATTERNS) == {one.resource for one in grants(resources) if "*" in one.resource} - {"*"}


def test_whatever_is_wide_is_explained_to_people(root: Path) -> None:
    _, _, explained = (root / "docs/permissions.md").read_text().partition("\n## Wide on purpose\n")
    explained, _, _ = explained.partition("\n## ")
    assert [name for name in sorted(WITHOUT_RESOURCE | set(PATTERNS)) if f"`{name}`" not in explained] == []


def test_a_role_has_no_managed_policies_but_those_that_sam_attaches(resources: Document) -> None:
    managed: dict[str, set[str]] = {}
    for one in grants(resources):
        if one.action == MANAGED:
            managed.setdefault(one.resource, set()).add(one.role)
    assert {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSLambdaDynamoDBExecutionRole"} == set(managed)
    assert {"PublisherFunctionRole"} == managed["AWSLambdaDynamoDBExecutionRole"]


def test_each_role_is_assumed_by_one_service_and_a_tasks_role_in_this_account_alone(
    resources: Document, roles: Document
) -> None:
    services = {one.role: one.resource for one in grants(resources) if one.action == ASSUME}
    assert set(roles) == set(services)
    assert len(roles) == len([one for one in grants(resources) if one.action == ASSUME])
    for name in (name for name, service in services.items() if service == "ecs-tasks.amazonaws.com"):
        (statement,) = roles[name]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_proxy_writes_nothing_of_a_session_but_when_it_was_visited_and_watched(roles: Document) -> None:
    (writing,) = [s for s in _statements(roles["ProxyTaskRole"]) if s["Action"] == "dynamodb:UpdateItem"]
    assert writing["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["SESSION#*"]},
        "ForAllValues:StringEquals": {
            "dynamodb:Attributes": ["pk", "sk", "status", "last_visited_at", "last_watched_at"]
        },
        "StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE", "UPDATED_OLD", "UPDATED_NEW"]},
    }


def test_tasks_are_listed_in_the_cluster_alone(roles: Document) -> None:
    listing = [s for role in roles.values() for s in _statements(role) if "ecs:ListTasks" in _list(s["Action"])]
    assert len(listing) == 4
    for statement in listing:
        assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}}}


def test_the_workflow_may_pass_both_roles_of_the_agents_task_and_no_other(roles: Document, resources: Document) -> None:
    passing = [s for role in roles.values() for s in _statements(role) if "iam:PassRole" in _list(s["Action"])]
    assert passing == [s for s in _statements(roles["SessionStateMachineRole"]) if s["Action"] == "iam:PassRole"]
    task = resources["AgentTaskDefinition"]["Properties"]
    assert [task["TaskRoleArn"], task["ExecutionRoleArn"]] == passing[0]["Resource"]
    assert passing[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_the_workflow_may_run_both_agents_and_nothing_else(roles: Document) -> None:
    running = [s for role in roles.values() for s in _statements(role) if "ecs:RunTask" in _list(s["Action"])]
    assert running == [s for s in _statements(roles["SessionStateMachineRole"]) if s["Action"] == "ecs:RunTask"]
    families = [f"{FAMILIES}/${{AWS::StackName}}-{agent}:*" for agent in ("agent", "staging-agent")]
    # Whether there's a staging agent or not: who waits for one that was removed lacks no permission.
    assert [{"Fn::Sub": family} for family in families] == running[0]["Resource"]
    assert running[0]["Condition"] == {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}}}


def test_the_workflow_may_tag_a_task_as_it_runs_it_and_at_no_other_time(roles: Document, definition: Document) -> None:
    assert definition["States"]["Run Agent"]["Arguments"]["PropagateTags"] == "TASK_DEFINITION"
    tagging = [s for role in roles.values() for s in _statements(role) if "ecs:TagResource" in _list(s["Action"])]
    assert tagging == [s for s in _statements(roles["SessionStateMachineRole"]) if s["Action"] == "ecs:TagResource"]
    assert tagging[0]["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}


def test_the_agents_container_has_no_permission_unless_bedrock_is_chosen(roles: Document) -> None:
    assert roles["AgentTaskRole"]["Policies"]["Fn::If"][::2] == ["UsesBedrock", {"Ref": "AWS::NoValue"}]
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

    doctor = "DoctorFunctionRole"
    assert {"WebhookFunctionRole", doctor} == reads("WebhookSecret")
    assert {"AgentExecutionRole", doctor} == reads("AnthropicApiKeySecret")
    assert {"ProxyExecutionRole", doctor} == reads("UatSignInSecret")
    assert {"PublisherFunctionRole", doctor} == reads("ChatWebhooksSecret")
    assert {
        "PublisherFunctionRole",
        "OpenDraftPullRequestFunctionRole",
        "AnnounceSessionFunctionRole",
        "CanaryFunctionRole",
        "ProxyExecutionRole",
        doctor,
    } == reads("UatAccessKeysSecret")
    assert {
        "WebhookFunctionRole",
        "AgentApiFunctionRole",
        "PublisherFunctionRole",
        "ReconcilerFunctionRole",
        "CreateBranchFunctionRole",
        "OpenDraftPullRequestFunctionRole",
        "AnnounceSessionFunctionRole",
        "CloseSessionFunctionRole",
        "ReportFailureFunctionRole",
        doctor,
    } == reads("GitHubSecret")


def test_whatever_is_allowed_on_all_resources_says_why_beside_it(root: Path) -> None:
    lines = (root / "template.yaml").read_text().splitlines()
    everything = [line for line in lines if re.search(r'\bResources?:.*"\*"', line)]
    assert len(WITHOUT_RESOURCE) / 4 < len(everything)
    assert [line for line in everything if not re.search(r'"\*"[^#]*# \w.{10}', line)] == []

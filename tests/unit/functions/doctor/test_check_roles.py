"""The check `roles`: what each may do is the template's, and nothing overrules it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.functions.doctor.inside_account import (
    ACCOUNT,
    AGENT_REVISION,
    REFUSED,
    AwsError,
    Containers,
    as_policy,
)

from cloud_agent_doctor.checks.roles import CHECK
from cloud_agent_doctor.engine.stack import Resource

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/acme-"


def trust(service: str) -> dict[str, Any]:
    principal = {"Service": [service]}
    return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole"]}]}


def role(policies: Any, service: str = "states.amazonaws.com", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - template
    properties = {"AssumeRolePolicyDocument": trust(service), "Policies": policies, **more}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyName": "Work", "PolicyDocument": {"Statement": list(statements)}}


FAMILY_ARN = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task-definition"
ANY_REVISION = f"{AGENT_REVISION.removesuffix('1')}*"
TABLE = {"Fn::GetAtt": ["SessionsTable", "Arn"]}
TEMPLATE: dict[str, Any] = {
    "Conditions": {"UsesBedrock": {"Fn::Equals": [{"Ref": "ModelProvider"}, "bedrock"]}},
    "Resources": {
        "SessionStateMachineRole": role(
            [
                policy(
                    {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": TABLE},
                    {
                        "Effect": "Allow",
                        "Action": "ecs:RunTask",
                        "Resource": {"Fn::Sub": f"{FAMILY_ARN}/${{AWS::StackName}}-agent:*"},
                        "Condition": {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}}},
                    },
                    {
                        "Effect": "Allow",
                        "Action": "iam:PassRole",
                        "Resource": [
                            {"Fn::Sub": "${AgentTaskRole.Arn}"},
                            {"Fn::GetAtt": ["AgentExecutionRole", "Arn"]},
                        ],
                    },
                    {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": "*"},
                )
            ],
            ManagedPolicyArns=[{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, BASIC.removeprefix("arn:aws")]]}],
        ),
        "AgentTaskRole": role(
            {"Fn::If": ["UsesBedrock", [policy({"Effect": "Allow"})], {"Ref": "AWS::NoValue"}]},
            "ecs-tasks.amazonaws.com",
        ),
    },
}


class Roles(Containers):
    """An account whose roles are the template's."""

    def __init__(self) -> None:
        super().__init__()
        resources = dict(self.stack.resources)
        resources["AgentExecutionRole"] = Resource("AWS::IAM::Role", "acme-AgentExecutionRole-1")
        self.stack = type(self.stack)(**{**vars(self.stack), "resources": resources})
        self.template = json.loads(json.dumps(TEMPLATE))
        arn = self.stack.resources["SessionsTable"]
        table = f"arn:aws:dynamodb:{self.stack.region}:{ACCOUNT}:table/{arn.physical_id}"
        cluster = self.stack.outputs["ClusterArn"]
        self.documents: dict[str, list[dict[str, Any]]] = {
            "acme-SessionStateMachineRole-1": [
                {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:GetItem"], "Resource": [table]},
                {
                    "Effect": "Allow",
                    "Action": "ecs:RunTask",
                    "Resource": ANY_REVISION,
                    "Condition": {"ArnEquals": {"ecs:cluster": [cluster]}},
                },
                {
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "Resource": [f"{ROLE_ARN}AgentTaskRole-1", f"{ROLE_ARN}AgentExecutionRole-1"],
                },
                {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": "*"},
            ],
            "acme-AgentTaskRole-1": [],
        }
        self.trusts = {
            "acme-SessionStateMachineRole-1": trust("states.amazonaws.com"),
            "acme-AgentTaskRole-1": trust("ecs-tasks.amazonaws.com"),
        }
        self.attached = {"acme-SessionStateMachineRole-1": [BASIC], "acme-AgentTaskRole-1": []}
        self.denied: dict[str, dict[str, Any]] = {}
        self.simulated: list[dict[str, Any]] = []
        self.set("cloudformation", "GetTemplate", lambda _: {"TemplateBody": json.dumps(self.template)})
        self.set("iam", "GetRole", self._role)
        self.set("iam", "ListRolePolicies", self._policies)
        self.set("iam", "GetRolePolicy", self._policy)
        self.set("iam", "ListAttachedRolePolicies", self._attached)
        self.set("iam", "SimulatePrincipalPolicy", self._simulate)

    @property
    def workflow(self) -> list[dict[str, Any]]:
        return self.documents["acme-SessionStateMachineRole-1"]

    def _role(self, request: dict[str, str]) -> dict[str, Any]:
        name = request["RoleName"]
        if name not in self.trusts:
            raise AwsError("NoSuchEntity")
        described = {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROAEXAMPLEEXAMPLE",
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "CreateDate": 1700000000,
            "AssumeRolePolicyDocument": as_policy(self.trusts[name]),
        }
        return {"Role": described}

    def _policies(self, request: dict[str, str]) -> dict[str, Any]:
        return {"PolicyNames": ["Work"] if self.documents[request["RoleName"]] else [], "IsTruncated": False}

    def _policy(self, request: dict[str, str]) -> dict[str, Any]:
        document = as_policy({"Version": "2012-10-17", "Statement": self.documents[request["RoleName"]]})
        return {"RoleName": request["RoleName"], "PolicyName": "Work", "PolicyDocument": document}

    def _attached(self, request: dict[str, str]) -> dict[str, Any]:
        return {"AttachedPolicies": [{"PolicyArn": arn} for arn in self.attached[request["RoleName"]]]}

    def _simulate(self, request: dict[str, Any]) -> dict[str, Any]:
        self.simulated.append(request)
        (resource,) = request["ResourceArns"]
        results = [
            {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed"}
            | self.denied.get(action, {})
            for action in request["ActionNames"]
        ]
        return {"EvaluationResults": results, "IsTruncated": False}


@pytest.fixture
def account() -> Roles:
    return Roles()


def test_roles_that_are_the_templates_have_no_finding_and_take_the_declared_actions(account: Roles) -> None:
    assert account.findings(CHECK) == []
    assert set(CHECK.actions) == account.asked


def test_iam_is_asked_with_the_values_that_conditions_need(account: Roles) -> None:
    account.findings(CHECK)
    (run_task,) = (one for one in account.simulated if one["ActionNames"] == ["ecs:RunTask"])
    assert run_task["ResourceArns"] == [AGENT_REVISION]  # of any revision, about one
    assert [
        {
            "ContextKeyName": "ecs:cluster",
            "ContextKeyValues": [account.stack.outputs["ClusterArn"]],
            "ContextKeyType": "string",
        }
    ] == run_task["ContextEntries"]


def test_iam_is_not_asked_about_a_resource_that_is_many(account: Roles) -> None:
    everywhere = {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}
    policies = account.template["Resources"]["SessionStateMachineRole"]["Properties"]["Policies"]
    policies[0]["PolicyDocument"]["Statement"].append(everywhere)
    account.workflow.append(everywhere)
    assert account.findings(CHECK) == []
    assert account.simulated
    assert not [one for one in account.simulated if "dynamodb:ListTables" in one["ActionNames"]]


def test_a_permission_that_was_taken_away_is_found(account: Roles) -> None:
    account.workflow[0]["Action"] = "dynamodb:GetItem"
    (finding,) = account.findings(CHECK)
    assert "it may not dynamodb:PutItem on arn:aws:dynamodb:" in finding.problem
    assert finding.logical_ids == ("SessionStateMachineRole",)
    assert "fail with access denied" in finding.impact


def test_a_permission_beyond_the_template_is_found(account: Roles) -> None:
    account.documents["acme-AgentTaskRole-1"] = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
    (finding,) = account.findings(CHECK)
    assert "beyond the template it may s3:* on *" in finding.problem
    assert finding.logical_ids == ("AgentTaskRole",)


def test_a_condition_that_was_taken_away_is_both(account: Roles) -> None:
    del account.workflow[1]["Condition"]
    (finding,) = account.findings(CHECK)
    assert "it may not ecs:RunTask" in finding.problem
    assert "beyond the template it may ecs:RunTask" in finding.problem


def test_managed_policies_are_compared_both_ways(account: Roles) -> None:
    account.attached["acme-SessionStateMachineRole-1"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    (finding,) = account.findings(CHECK)
    assert f"it lacks the policy {BASIC}" in finding.problem
    assert "beyond the template it has the policy arn:aws:iam::aws:policy/AdministratorAccess" in finding.problem


def test_who_may_assume_a_role_is_compared_both_ways(account: Roles) -> None:
    account.trusts["acme-AgentTaskRole-1"] = trust("ec2.amazonaws.com")
    (finding,) = account.findings(CHECK)
    assert "it may not be assumed by Service ecs-tasks.amazonaws.com" in finding.problem
    assert "beyond the template it may be assumed by Service ec2.amazonaws.com" in finding.problem


def test_a_role_of_the_agents_that_the_workflow_may_not_pass_is_found(account: Roles) -> None:
    account.definitions[AGENT_REVISION]["executionRoleArn"] = f"{ROLE_ARN}another"
    (finding,) = account.findings(CHECK)
    assert f"it may not pass {ROLE_ARN}another" in finding.problem


def test_a_missing_permission_to_pass_is_reported_once(account: Roles) -> None:
    account.workflow[2]["Resource"] = f"{ROLE_ARN}AgentTaskRole-1"
    (finding,) = account.findings(CHECK)
    assert finding.problem.count("AgentExecutionRole-1") == 1


@pytest.mark.parametrize(
    ("detail", "by"),
    [
        ({"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}, "its permissions boundary"),
        ({"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}, "a policy of the organization"),
        ({}, "another policy"),
    ],
)
def test_what_overrules_the_policies_is_found(account: Roles, detail: dict[str, Any], by: str) -> None:
    account.denied["iam:PassRole"] = {"EvalDecision": "implicitDeny", **detail}
    findings = account.findings(CHECK)
    assert len(findings) == 2  # one for each role that cannot be passed
    assert all(f"{by} denies iam:PassRole on {ROLE_ARN}" in finding.problem for finding in findings)


def test_a_denial_that_hangs_on_what_is_not_known_is_unknown(account: Roles) -> None:
    account.denied["ecs:RunTask"] = {"EvalDecision": "explicitDeny", "MissingContextValues": ["aws:SourceVpc"]}
    assert "depends on aws:SourceVpc" in str(account.incomplete_findings(CHECK)[1])


def test_what_is_missing_is_not_asked_of_iam_besides(account: Roles) -> None:
    account.workflow.pop(1)
    assert len(account.findings(CHECK)) == 1
    assert not [one for one in account.simulated if "ecs:RunTask" in one["ActionNames"]]


def test_a_statement_that_cannot_be_worked_out_is_unknown_and_the_rest_is_judged(account: Roles) -> None:
    statements = account.template["Resources"]["SessionStateMachineRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    statements["Statement"][3]["Resource"] = {"Fn::Select": [0, ["*"]]}
    account.workflow[0]["Action"] = "dynamodb:GetItem"
    (finding,), unavailable = account.incomplete_findings(CHECK)
    assert "dynamodb:PutItem" in finding.problem
    assert "SendTaskSuccess" not in finding.problem
    assert str(unavailable) == "statements of SessionStateMachineRole can't be resolved: Fn::Select isn't supported"


def test_a_choice_of_the_template_is_made_as_in_the_stack(account: Roles) -> None:
    account.stack.parameters["ModelProvider"] = "bedrock"  # type: ignore[index]  # a dict, which a test may change
    resource = account.template["Resources"]["AgentTaskRole"]["Properties"]["Policies"]["Fn::If"]
    resource[1][0]["PolicyDocument"]["Statement"] = [
        {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}
    ]
    (finding,) = account.findings(CHECK)
    assert finding.problem == "The role AgentTaskRole differs from the template: it may not bedrock:InvokeModel on *."


def test_a_role_that_was_deleted_is_found(account: Roles) -> None:
    del account.trusts["acme-AgentTaskRole-1"]
    (finding,) = account.findings(CHECK)
    assert "The role AgentTaskRole is gone" in finding.problem


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("cloudformation", "GetTemplate", "cloudformation:GetTemplate"),
        ("iam", "GetRole", "iam:GetRole"),
        ("iam", "SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy"),
    ],
)
def test_whoever_may_not_look_gets_the_missing_permission(
    account: Roles, service: str, operation: str, action: str
) -> None:
    account.set(service, operation, AwsError("AccessDenied") if service == "iam" else REFUSED)
    assert action == account.incomplete_findings(CHECK)[1].permission


def test_a_template_that_is_no_json_is_unknown(account: Roles) -> None:
    account.set("cloudformation", "GetTemplate", {"TemplateBody": "Resources: {}"})
    assert str(account.incomplete_findings(CHECK)[1]) == "the stack's template isn't JSON"

"""Does every program have the permissions it needs, and no more?

Compares each role of the stack with the template the stack was deployed with, statement by statement: inline
policies, attached managed policies, and who may assume the role. A missing permission fails a step of every session;
an extra one is open to whoever takes over the program. The workflow must also be allowed to pass both roles of each
task definition it starts agents from.

Policies that match can still be overridden by a permissions boundary or by the organization, so IAM is asked to
simulate the actions that sessions depend on. The fix is a change set that reverts drift; for a boundary or an
organization's policy, talk to the account's administrators. Statements of the template that can't be resolved here
make the role's status unknown.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_agent_doctor.containers import task_definitions
from cloud_agent_doctor.engine.check import Check, combine
from cloud_agent_doctor.engine.errors import DataUnavailableError
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.iam.policies import Permission, permissions, statements
from cloud_agent_doctor.iam.role_template import TemplateRole, template_role
from cloud_agent_doctor.stack.template_values import TemplateValues

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]

_WORKFLOW_ROLE = "SessionStateMachineRole"
_SHOWN = 6  # permissions of one kind; more don't help
# No session gets far without these; simulating every permission would take minutes.
_SIMULATED = ("dynamodb:", "ecs:RunTask", "ecs:TagResource", "iam:PassRole", "lambda:InvokeFunction")


class _Role(NamedTuple):
    """A role as IAM has it."""

    logical_id: str
    arn: str
    name: str
    permissions: set[Permission]
    trust: set[Permission]
    managed_policies: set[str]


def run(context: CheckContext) -> Iterator[Finding]:
    """Find roles that may do less or more than the template says, or are denied what it says."""
    template = _template(context)
    values = TemplateValues(template, context.stack)
    roles = context.stack.of_type("AWS::IAM::Role")
    return combine(
        *(
            _of_role(context, logical_id, template_role(resource["Properties"], values))
            for logical_id, resource in template.get("Resources", {}).items()
            if logical_id in roles
        )
    )


def _template(context: CheckContext) -> Document:
    response = context.aws.describe(
        "cloudformation", "get_template", StackName=context.stack.name, TemplateStage="Processed"
    )
    body = (response or {}).get("TemplateBody", {})
    try:
        template: Document = json.loads(body) if isinstance(body, str) else body
    except ValueError as error:
        raise DataUnavailableError("the stack's template isn't JSON") from error
    return template


def _of_role(context: CheckContext, logical_id: str, expected: TemplateRole) -> Iterator[Finding]:
    name = context.stack.physical_id(logical_id)
    role = _described(context, logical_id, name)
    if role is None:
        yield Finding(
            resource=name,
            problem=f"The role {logical_id} is gone: {name} was deleted outside CloudFormation.",
            impact="Nothing that uses it can start.",
            remediation=revert_drift(context.stack),
            confirm=f"aws iam get-role --role-name {name}",
            logical_ids=(logical_id,),
        )
        return
    missing = _missing(context, role, expected)
    wider = _wider(role, expected)
    if missing or wider:
        yield Finding(
            resource=role.arn,
            problem=f"The role {logical_id} differs from the template: {'; '.join([*missing, *wider])}.",
            impact="Steps that need it fail with access denied."
            if missing
            else "Its programs may do more than they need.",
            remediation=revert_drift(context.stack),
            confirm=f"aws iam get-account-authorization-details --filter Role --query "
            f"\"RoleDetailList[?RoleName=='{name}']\"",
            logical_ids=(logical_id,),
        )
    yield from _overridden(context, role, expected)
    if expected.unresolved:
        reasons = "; ".join(dict.fromkeys(expected.unresolved))
        raise DataUnavailableError(f"statements of {logical_id} can't be resolved: {reasons}")


def _described(context: CheckContext, logical_id: str, name: str) -> _Role | None:
    aws, missing = context.aws, ["NoSuchEntity"]
    found = aws.describe("iam", "get_role", missing=missing, RoleName=name)
    if found is None:
        return None
    documents = [
        aws.describe("iam", "get_role_policy", missing=missing, RoleName=name, PolicyName=policy)
        for policy in aws.describe_all("iam", "list_role_policies", "PolicyNames", missing=missing, RoleName=name)
    ]
    attached = aws.describe_all(
        "iam", "list_attached_role_policies", "AttachedPolicies", missing=missing, RoleName=name
    )
    return _Role(
        logical_id,
        found["Role"]["Arn"],
        name,
        {one for document in documents if document for one in _parsed(document["PolicyDocument"])},
        set(_parsed(found["Role"]["AssumeRolePolicyDocument"])),
        {one["PolicyArn"] for one in attached},
    )


def _parsed(document: Document) -> Iterator[Permission]:
    return permissions(statements(document))


def _missing(context: CheckContext, role: _Role, expected: TemplateRole) -> list[str]:
    lacks = expected.permissions - role.permissions
    found = _listed("it may not", (one.text for one in lacks))
    if role.logical_id == _WORKFLOW_ROLE:
        reported = {one.resource for one in lacks if one.action == "iam:PassRole"}
        passes = [one.resource for one in role.permissions if one.action == "iam:PassRole"]
        needs = [arn for arn in _agents_roles(context) if arn not in reported]
        unpassed = [arn for arn in needs if not any(fnmatchcase(arn, one) for one in passes)]
        found += _listed("it may not pass", unpassed)
    found += _listed("it lacks the policy", expected.managed_policies - role.managed_policies)
    return found + _listed("it may not be assumed by", (_assumed(one) for one in expected.trust - role.trust))


def _wider(role: _Role, expected: TemplateRole) -> list[str]:
    beyond = {one for one in role.permissions - expected.permissions if one.action not in expected.unknown_actions}
    if expected.unresolved:  # trust and managed policies may be among what can't be resolved
        return _listed("beyond the template it may", (one.text for one in beyond))
    return [
        *_listed("beyond the template it may", (one.text for one in beyond)),
        *_listed("beyond the template it has the policy", role.managed_policies - expected.managed_policies),
        *_listed("beyond the template it may be assumed by", (_assumed(one) for one in role.trust - expected.trust)),
    ]


def _assumed(trusted: Permission) -> str:
    condition = f" if {trusted.condition}" if trusted.condition else ""
    return f"{trusted.resource} ({trusted.effect} {trusted.action}{condition})"


def _listed(prefix: str, items: Iterable[str]) -> list[str]:
    """Return one clause about all of them; none if there are none."""
    found = sorted(set(items))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [f"{prefix} {', '.join(found[:_SHOWN])}{more}"] if found else []


def _agents_roles(context: CheckContext) -> list[str]:
    """Both roles of every task definition that the workflow starts agents from."""
    definitions = [
        task_definitions.task_definition(context, arn) for arn in task_definitions.agent_task_definitions(context)
    ]
    names = ("taskRoleArn", "executionRoleArn")
    return list(dict.fromkeys(one[name] for one in definitions if one for name in names if one.get(name)))


def _overridden(context: CheckContext, role: _Role, expected: TemplateRole) -> Iterator[Finding]:
    """Simulate what the policies allow: one request for each resource and condition."""
    asked = sorted(
        one
        for one in expected.permissions & role.permissions
        if one.effect == "Allow" and one.action.startswith(_SIMULATED) and one.resource != "*"
    )

    def scope(one: Permission) -> tuple[str, str]:
        return one.resource.replace("*", "1"), one.condition  # for a pattern, one resource it matches

    for (resource, _), group in groupby(sorted(asked, key=scope), scope):
        together = list(group)
        results = context.aws.describe_all(
            "iam",
            "simulate_principal_policy",
            "EvaluationResults",
            PolicySourceArn=role.arn,
            ActionNames=[one.action for one in together],
            ResourceArns=[resource],
            ContextEntries=[
                {
                    "ContextKeyName": key,
                    "ContextKeyValues": values,
                    "ContextKeyType": "stringList" if len(values) > 1 else "string",
                }
                for key, values in together[0].context.items()
            ],
        )
        denied = [one for one in results if one["EvalDecision"] != "allowed"]
        unknown = sorted({key for one in denied for key in one.get("MissingContextValues", [])})
        if unknown:
            raise DataUnavailableError(f"whether {role.logical_id} is overridden depends on {', '.join(unknown)}")
        if denied:
            yield _override(role, resource, denied)


def _override(role: _Role, resource: str, denied: list[Document]) -> Finding:
    actions = sorted(one["EvalActionName"] for one in denied)
    boundary = any(
        not one.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True) for one in denied
    )
    organization = any(
        not one.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True) for one in denied
    )
    by = (
        "its permissions boundary" if boundary else "a policy of the organization" if organization else "another policy"
    )
    return Finding(
        resource=role.arn,
        problem=f"The role {role.logical_id} has the template's policies, but {by} denies {', '.join(actions)} on "
        f"{resource}.",
        impact="Steps that need it fail with access denied.",
        remediation=f"Ask the account's administrators to allow it in {by}; the template can't.",
        confirm=f"aws iam simulate-principal-policy --policy-source-arn {role.arn} --action-names {' '.join(actions)} "
        f"--resource-arns {resource}",
        logical_ids=(role.logical_id,),
    )


CHECK = Check(
    name="roles",
    question="Does every program have the permissions it needs, and no more?",
    run=run,
    actions=(
        "cloudformation:GetTemplate",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListRolePolicies",
        "iam:ListAttachedRolePolicies",
        "iam:SimulatePrincipalPolicy",
        *task_definitions.AGENT_ACTIONS,
        *task_definitions.DEFINITION_ACTIONS,
    ),
)

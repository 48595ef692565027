"""May every program do what it must, and no more?

Compares each role of the stack with the template that the stack was deployed with, statement by statement: the inline
policies, the managed policies that are attached, and who may assume the role. A permission that is missing fails a step
of every session; one that is too many is open to whoever gets hold of the program. The workflow must besides be allowed
to pass both roles of each task definition that it starts agents from.

Policies that agree can still be overruled, by a permissions boundary or by the organization: IAM itself is asked
whether the actions that sessions hang on would be allowed. The mend is a change set that reverts drift; for a boundary
or an organization's policy a word with those who administer the account. A statement of the template that names what
this program cannot work out is said to be unseen.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_agent_doctor.containers import workloads
from cloud_agent_doctor.engine import mends
from cloud_agent_doctor.engine.check import CannotLookError, Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.parts import all_parts
from cloud_agent_doctor.iam.policies import Permission, permissions, statements
from cloud_agent_doctor.iam.role_template import TemplateRole, template_role
from cloud_agent_doctor.stack.template_values import TemplateValues

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

_WORKFLOW_ROLE = "SessionStateMachineRole"
_SHOWN = 6  # permissions of one kind; more say no more
# What no session gets far without; to ask of every permission would take minutes.
_ASKED_OF_IAM = ("dynamodb:", "ecs:RunTask", "ecs:TagResource", "iam:PassRole", "lambda:InvokeFunction")


class _Role(NamedTuple):
    """A role as IAM has it."""

    logical_id: str
    arn: str
    name: str
    permissions: set[Permission]
    trust: set[Permission]
    managed_policies: set[str]


def examine(examination: Examination) -> Iterator[Finding]:
    """Find roles that may do less or more than the template says, or are kept from what it says."""
    template = _template(examination)
    values = TemplateValues(template, examination.stack)
    roles = examination.stack.of_type("AWS::IAM::Role")
    return all_parts(
        *(
            _of_role(examination, logical_id, template_role(resource["Properties"], values))
            for logical_id, resource in template.get("Resources", {}).items()
            if logical_id in roles
        )
    )


def _template(examination: Examination) -> Document:
    answer = examination.aws.ask(
        "cloudformation", "get_template", StackName=examination.stack.name, TemplateStage="Processed"
    )
    body = (answer or {}).get("TemplateBody", {})
    try:
        template: Document = json.loads(body) if isinstance(body, str) else body
    except ValueError as error:
        raise CannotLookError("the stack's template is not in JSON") from error
    return template


def _of_role(examination: Examination, logical_id: str, expected: TemplateRole) -> Iterator[Finding]:
    name = examination.stack.physical_id(logical_id)
    role = _described(examination, logical_id, name)
    if role is None:
        yield Finding(
            resource=name,
            problem=f"The role {logical_id} is gone: {name} was deleted outside the stack.",
            meaning="Whatever runs with it cannot start.",
            mend=mends.revert(examination.stack),
            confirm=f"aws iam get-role --role-name {name}",
            logical_ids=(logical_id,),
        )
        return
    missing = _missing(examination, role, expected)
    wider = _wider(role, expected)
    if missing or wider:
        yield Finding(
            resource=role.arn,
            problem=f"The role {logical_id} is not the template's: {'; '.join([*missing, *wider])}.",
            meaning="Steps that need it fail as refused." if missing else "Its programs may do more than they need.",
            mend=mends.revert(examination.stack),
            confirm=f"aws iam get-account-authorization-details --filter Role --query "
            f"\"RoleDetailList[?RoleName=='{name}']\"",
            logical_ids=(logical_id,),
        )
    yield from _overruled(examination, role, expected)
    if expected.unseen:
        reasons = "; ".join(dict.fromkeys(expected.unseen))
        raise CannotLookError(f"statements of {logical_id} could not be worked out: {reasons}")


def _described(examination: Examination, logical_id: str, name: str) -> _Role | None:
    aws, missing = examination.aws, ["NoSuchEntity"]
    found = aws.ask("iam", "get_role", missing=missing, RoleName=name)
    if found is None:
        return None
    documents = [
        aws.ask("iam", "get_role_policy", missing=missing, RoleName=name, PolicyName=policy)
        for policy in aws.ask_all("iam", "list_role_policies", "PolicyNames", missing=missing, RoleName=name)
    ]
    attached = aws.ask_all("iam", "list_attached_role_policies", "AttachedPolicies", missing=missing, RoleName=name)
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


def _missing(examination: Examination, role: _Role, expected: TemplateRole) -> list[str]:
    lacks = expected.permissions - role.permissions
    found = _listed("it may not", (one.words for one in lacks))
    if role.logical_id == _WORKFLOW_ROLE:
        told = {one.resource for one in lacks if one.action == "iam:PassRole"}
        passes = [one.resource for one in role.permissions if one.action == "iam:PassRole"]
        needs = [arn for arn in _agents_roles(examination) if arn not in told]
        unpassed = [arn for arn in needs if not any(fnmatchcase(arn, one) for one in passes)]
        found += _listed("it may not pass", unpassed)
    found += _listed("it has not the policy", expected.managed_policies - role.managed_policies)
    return found + _listed("it may not be assumed by", (_assumed(one) for one in expected.trust - role.trust))


def _wider(role: _Role, expected: TemplateRole) -> list[str]:
    beyond = {one for one in role.permissions - expected.permissions if one.action not in expected.unknown_actions}
    if expected.unseen:  # trust and managed policies may be what could not be worked out
        return _listed("beyond the template it may", (one.words for one in beyond))
    return [
        *_listed("beyond the template it may", (one.words for one in beyond)),
        *_listed("beyond the template it has the policy", role.managed_policies - expected.managed_policies),
        *_listed("beyond the template it may be assumed by", (_assumed(one) for one in role.trust - expected.trust)),
    ]


def _assumed(trusted: Permission) -> str:
    condition = f" if {trusted.condition}" if trusted.condition else ""
    return f"{trusted.resource} ({trusted.effect} {trusted.action}{condition})"


def _listed(words: str, items: Iterable[str]) -> list[str]:
    """One clause about them all; none about none."""
    found = sorted(set(items))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [f"{words} {', '.join(found[:_SHOWN])}{more}"] if found else []


def _agents_roles(examination: Examination) -> list[str]:
    """Both roles of every task definition that the workflow starts agents from."""
    definitions = [workloads.task_definition(examination, arn) for arn in workloads.agent_task_definitions(examination)]
    names = ("taskRoleArn", "executionRoleArn")
    return list(dict.fromkeys(one[name] for one in definitions if one for name in names if one.get(name)))


def _overruled(examination: Examination, role: _Role, expected: TemplateRole) -> Iterator[Finding]:
    """Ask IAM of what the policies allow: one question for each resource and condition."""
    asked = sorted(
        one
        for one in expected.permissions & role.permissions
        if one.effect == "Allow" and one.action.startswith(_ASKED_OF_IAM) and one.resource != "*"
    )

    def question(one: Permission) -> tuple[str, str]:
        return one.resource.replace("*", "1"), one.condition  # of a pattern, about one that it stands for

    for (resource, _), group in groupby(sorted(asked, key=question), question):
        together = list(group)
        results = examination.aws.ask_all(
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
            raise CannotLookError(f"whether {role.logical_id} is overruled depends on {', '.join(unknown)}")
        if denied:
            yield _overruling(role, resource, denied)


def _overruling(role: _Role, resource: str, denied: list[Document]) -> Finding:
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
        problem=f"The role {role.logical_id} has the template's policies, and yet {by} denies {', '.join(actions)} on "
        f"{resource}.",
        meaning="Steps that need it fail as refused.",
        mend=f"Have those who administer the account allow it in {by}; the template cannot.",
        confirm=f"aws iam simulate-principal-policy --policy-source-arn {role.arn} --action-names {' '.join(actions)} "
        f"--resource-arns {resource}",
        logical_ids=(role.logical_id,),
    )


CHECK = Check(
    name="roles",
    question="May every program do what it must, and no more?",
    examine=examine,
    actions=(
        "cloudformation:GetTemplate",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListRolePolicies",
        "iam:ListAttachedRolePolicies",
        "iam:SimulatePrincipalPolicy",
        *workloads.AGENT_ACTIONS,
        *workloads.DEFINITION_ACTIONS,
    ),
)

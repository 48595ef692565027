"""May the workflow start an agent's task, by IAM's own simulation?

RunTask takes ecs:RunTask on the task definition, ecs:TagResource on the task that it tags, and iam:PassRole on both
roles of the task. IAM simulates them for the deployed role with all that applies to it, a permissions boundary and the
organization's policies included. Before the deployment there's no role to ask about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

    Document = dict[str, Any]

_ROLE = "SessionStateMachineRole"


class _Request(NamedTuple):
    """One request that RunTask makes of IAM; the context is what its condition keys are then."""

    action: str
    resource: str
    context: dict[str, str]


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that IAM denies one of the requests."""
    name = context.stack.physical_id(_ROLE)
    role = name and context.aws.describe("iam", "get_role", missing=["NoSuchEntity"], RoleName=name)
    if not role:
        raise NotApplicableError("the workflow's role isn't there yet: run this again once the stack is deployed")
    arn = str(role["Role"]["Arn"])
    for request in _requests(context.stack):
        (result,) = context.aws.describe_all(
            "iam",
            "simulate_principal_policy",
            "EvaluationResults",
            PolicySourceArn=arn,
            ActionNames=[request.action],
            ResourceArns=[request.resource],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in request.context.items()
            ],
        )
        if result.get("MissingContextValues"):
            raise DataUnavailableError(f"{request.action} depends on {', '.join(result['MissingContextValues'])}")
        if result["EvalDecision"] != "allowed":
            yield _finding(arn, request, result)


def _requests(stack: Stack) -> Iterator[_Request]:
    ecs = f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}"
    cluster = stack.physical_id("Cluster")
    yield _Request(
        "ecs:RunTask", f"{ecs}:task-definition/{stack.name}-agent:1", {"ecs:cluster": f"{ecs}:cluster/{cluster}"}
    )
    yield _Request("ecs:TagResource", f"{ecs}:task/{cluster}/1", {"ecs:CreateAction": "RunTask"})
    for role in ("AgentTaskRole", "AgentExecutionRole"):
        arn = f"arn:{stack.partition}:iam::{stack.account}:role/{stack.physical_id(role)}"
        yield _Request("iam:PassRole", arn, {"iam:PassedToService": "ecs-tasks.amazonaws.com"})


def _finding(arn: str, request: _Request, result: Document) -> Finding:
    boundary = result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True)
    organization = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    by = (
        "the role's permissions boundary"
        if not boundary
        else "a policy of the organization"
        if not organization
        else "the role's policies"
    )
    keys = " ".join(
        f"ContextKeyName={key},ContextKeyValues={value},ContextKeyType=string" for key, value in request.context.items()
    )
    return Finding(
        resource=arn,
        problem=f"IAM denies {request.action} on {request.resource} by {by}: {result['EvalDecision']}.",
        impact="Every session fails in Run Agent: its container can't be started.",
        remediation="Deploy the template's own role again (`cloud-agent doctor` says how it differs)."
        if boundary and organization
        else f"Ask the account's administrators to allow it in {by}; the template can't.",
        confirm=f"aws iam simulate-principal-policy --policy-source-arn {arn} --action-names {request.action} "
        f"--resource-arns {request.resource} --context-entries {keys}",
    )


CHECK = Check(
    name="workflow-role",
    question="May the workflow start an agent's task, by IAM's own simulation?",
    run=run,
    actions=("iam:GetRole", "iam:SimulatePrincipalPolicy"),
)

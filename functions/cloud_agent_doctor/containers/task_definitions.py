"""The task definitions in use: the proxy's as its service runs it, the agents' as the workflow references them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers.proxy_service import ACTION as SERVICE_ACTION
from cloud_agent_doctor.containers.proxy_service import proxy_service

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

    Document = dict[str, Any]

_RUN_TASK = "arn:aws:states:::ecs:runTask"
_CHOICES = re.compile(r"[?:]\s*'([^']+)'")  # a choice between task definitions is an expression
_AGENTS = ("AgentTaskDefinition", "StagingAgentTaskDefinition")
_DESCRIBED_AT_ONCE = 100  # tasks, the limit of DescribeTasks

PROXY_ACTIONS = (SERVICE_ACTION,)
AGENT_ACTIONS = ("states:DescribeStateMachine",)
DEFINITION_ACTIONS = ("ecs:DescribeTaskDefinition",)
TASK_ACTIONS = ("ecs:ListTasks", "ecs:DescribeTasks")


def proxy_task_definitions(context: CheckContext) -> list[str]:
    """Return the ARNs that the proxy's service runs, or is deploying; none if there's no such service.

    Raises:
        DataUnavailableError: ECS refused or didn't respond.
    """
    service = proxy_service(context) or {}
    in_use = [one for one in service.get("deployments", []) if one["status"] == "PRIMARY" or one["runningCount"]]
    return list(dict.fromkeys(one["taskDefinition"] for one in in_use))


def agent_task_definitions(context: CheckContext) -> list[str]:
    """Return the families that the deployed workflow runs; ECS runs the latest active revision of each.

    An edited workflow may name revisions instead. None if there's no such workflow.

    Raises:
        DataUnavailableError: Step Functions refused or didn't respond.
    """
    machine = state_machine(context)
    try:
        states = json.loads(machine["definition"])["States"].values() if machine else ()
    except (ValueError, KeyError):  # the check `state-machine` reports it
        return []
    runs = [one.get("Arguments", {}) for one in states if one.get("Resource", "").startswith(_RUN_TASK)]
    named = [arguments["TaskDefinition"] for arguments in runs if "TaskDefinition" in arguments]
    return list(dict.fromkeys(name for text in named for name in _CHOICES.findall(text) or [text]))


def stacks_own(stack: Stack, task_definition: str) -> tuple[str, str]:
    """Return the logical id and ARN of the stack's task definition in the same family; empty if it has none."""
    own = stack.of_type("AWS::ECS::TaskDefinition").items()
    family = family_of(task_definition)
    return next(((name, arn) for name, arn in own if family_of(arn) == family), ("", ""))


def family_of(task_definition: str) -> str:
    """Return the family of a task definition given by its ARN, by family and revision, or by family alone."""
    return task_definition.rpartition("/")[2].partition(":")[0]


def state_machine(context: CheckContext) -> Document | None:
    """Return the deployed workflow; None if there's none.

    Raises:
        DataUnavailableError: Step Functions refused or didn't respond.
    """
    arn = context.stack.physical_id("SessionStateMachine")
    if not arn:
        return None
    missing = ["StateMachineDoesNotExist"]
    return context.aws.describe("stepfunctions", "describe_state_machine", missing=missing, stateMachineArn=arn)


def task_definition(context: CheckContext, name: str) -> Document | None:
    """Return the task definition of this ARN or family; None if no task can start from it any more.

    Raises:
        DataUnavailableError: ECS refused or didn't respond.
    """
    # ECS responds with a mere client exception if it doesn't know one.
    response = context.aws.describe("ecs", "describe_task_definition", missing=["ClientException"], taskDefinition=name)
    definition: Document | None = response["taskDefinition"] if response else None
    return definition if definition and definition.get("status", "ACTIVE") == "ACTIVE" else None


def container(definition: Document, name: str) -> Document | None:
    """Return the task definition's container of this name, if it has it."""
    return next((one for one in definition["containerDefinitions"] if one["name"] == name), None)


def running_proxy_tasks(context: CheckContext) -> list[Document]:
    """Return the proxy's tasks whose desired status is RUNNING.

    Raises:
        DataUnavailableError: ECS refused or didn't respond.
    """
    stack = context.stack
    cluster, service = stack.physical_id("Cluster"), stack.physical_id("ProxyService")
    missing = ["ClusterNotFoundException", "ServiceNotFoundException"]
    arns = context.aws.describe_all(
        "ecs", "list_tasks", "taskArns", missing=missing, cluster=cluster, serviceName=service, desiredStatus="RUNNING"
    )
    return described_tasks(context, arns)


def running_agent_tasks(context: CheckContext) -> list[Document]:
    """Return the tasks of the stack's agents, the staging one included, whose desired status is RUNNING.

    Raises:
        DataUnavailableError: ECS refused or didn't respond.
    """
    definitions = [arn for name in _AGENTS if (arn := context.stack.physical_id(name))]
    arns = [
        arn
        for definition in definitions
        for arn in context.aws.describe_all(
            "ecs",
            "list_tasks",
            "taskArns",
            missing=["ClusterNotFoundException"],
            cluster=context.stack.physical_id("Cluster"),
            family=family_of(definition),
            desiredStatus="RUNNING",
        )
    ]
    return described_tasks(context, arns)


def described_tasks(context: CheckContext, arns: list[str]) -> list[Document]:
    """Return those of the tasks that ECS still knows, as they are now.

    Raises:
        DataUnavailableError: ECS refused or didn't respond.
    """
    cluster = context.stack.physical_id("Cluster")
    found: list[Document] = []
    for start in range(0, len(arns), _DESCRIBED_AT_ONCE):
        batch = arns[start : start + _DESCRIBED_AT_ONCE]
        found += context.aws.describe_uncached("ecs", "describe_tasks", cluster=cluster, tasks=batch).get("tasks", [])
    return found

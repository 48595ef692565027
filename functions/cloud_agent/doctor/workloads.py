"""The task definitions in use: the proxy's as its service runs it, the agent's as the workflow names it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cloud_agent.doctor.proxy_tasks import ACTION as SERVICE_ACTION
from cloud_agent.doctor.proxy_tasks import proxy_service

if TYPE_CHECKING:
    from cloud_agent.doctor.examination import Examination

    Document = dict[str, Any]

# Wherever in the workflow's definition it stands: a choice between two is an expression.
_TASK_DEFINITION_ARN = re.compile(r"arn:[\w-]+:ecs:[\w-]+:\d{12}:task-definition/[\w-]+:\d+")
_DESCRIBED_AT_ONCE = 100  # tasks, the limit of DescribeTasks

PROXY_ACTIONS = (SERVICE_ACTION,)
AGENT_ACTIONS = ("states:DescribeStateMachine",)
DEFINITION_ACTIONS = ("ecs:DescribeTaskDefinition",)
TASK_ACTIONS = ("ecs:ListTasks", "ecs:DescribeTasks")


def proxy_task_definitions(examination: Examination) -> list[str]:
    """The ARNs of what the proxy's service runs, and is to run; none when there is no such service.

    Raises:
        CannotLookError: ECS refused or did not answer.
    """
    service = proxy_service(examination) or {}
    in_use = [one for one in service.get("deployments", []) if one["status"] == "PRIMARY" or one["runningCount"]]
    return list(dict.fromkeys(one["taskDefinition"] for one in in_use))


def agent_task_definitions(examination: Examination) -> list[str]:
    """The ARNs that the workflow's deployed definition names; none when there is no such workflow.

    Raises:
        CannotLookError: Step Functions refused or did not answer.
    """
    machine = state_machine(examination)
    return list(dict.fromkeys(_TASK_DEFINITION_ARN.findall(machine["definition"]))) if machine else []


def state_machine(examination: Examination) -> Document | None:
    """The workflow as it is deployed; None when there is none.

    Raises:
        CannotLookError: Step Functions refused or did not answer.
    """
    arn = examination.stack.physical_id("SessionStateMachine")
    if not arn:
        return None
    missing = ["StateMachineDoesNotExist"]
    return examination.aws.ask("stepfunctions", "describe_state_machine", missing=missing, stateMachineArn=arn)


def task_definition(examination: Examination, arn: str) -> Document | None:
    """A task definition from which a task can be started; None when it is gone or deregistered.

    Raises:
        CannotLookError: ECS refused or did not answer.
    """
    # A client exception is all that ECS says of one that it does not know.
    answer = examination.aws.ask("ecs", "describe_task_definition", missing=["ClientException"], taskDefinition=arn)
    definition: Document | None = answer["taskDefinition"] if answer else None
    return definition if definition and definition.get("status", "ACTIVE") == "ACTIVE" else None


def container(definition: Document, name: str) -> Document | None:
    """The task definition's container of this name, if it has it."""
    return next((one for one in definition["containerDefinitions"] if one["name"] == name), None)


def running_proxy_tasks(examination: Examination) -> list[Document]:
    """The proxy's tasks that are meant to run.

    Raises:
        CannotLookError: ECS refused or did not answer.
    """
    stack = examination.stack
    cluster, service = stack.physical_id("Cluster"), stack.physical_id("ProxyService")
    missing = ["ClusterNotFoundException", "ServiceNotFoundException"]
    arns = examination.aws.ask_all(
        "ecs", "list_tasks", "taskArns", missing=missing, cluster=cluster, serviceName=service, desiredStatus="RUNNING"
    )
    return described_tasks(examination, arns)


def described_tasks(examination: Examination, arns: list[str]) -> list[Document]:
    """Those of the tasks that ECS still knows, as they are now.

    Raises:
        CannotLookError: ECS refused or did not answer.
    """
    cluster = examination.stack.physical_id("Cluster")
    found: list[Document] = []
    for start in range(0, len(arns), _DESCRIBED_AT_ONCE):
        batch = arns[start : start + _DESCRIBED_AT_ONCE]
        found += examination.aws.tell("ecs", "describe_tasks", cluster=cluster, tasks=batch).get("tasks", [])
    return found

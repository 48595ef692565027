"""The task definitions in use: the proxy's as its service runs it, the agent's as the workflow names it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers.proxy_tasks import ACTION as SERVICE_ACTION
from cloud_agent_doctor.containers.proxy_tasks import proxy_service

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.examination import Examination, Stack

    Document = dict[str, Any]

_RUN_TASK = "arn:aws:states:::ecs:runTask"
_CHOICES = re.compile(r"[?:]\s*'([^']+)'")  # a choice between task definitions is an expression
_DESCRIBED_AT_ONCE = 100  # tasks, the limit of DescribeTasks

PROXY_ACTIONS = (SERVICE_ACTION,)
AGENT_ACTIONS = ("states:DescribeStateMachine",)
DEFINITION_ACTIONS = ("ecs:DescribeTaskDefinition",)
TASK_ACTIONS = ("ecs:ListTasks", "ecs:DescribeTasks")


def proxy_task_definitions(examination: Examination) -> list[str]:
    """Return the ARNs of what the proxy's service runs, and is to run; none when there is no such service.

    Raises:
        CannotLookError: ECS refused or did not answer.
    """
    service = proxy_service(examination) or {}
    in_use = [one for one in service.get("deployments", []) if one["status"] == "PRIMARY" or one["runningCount"]]
    return list(dict.fromkeys(one["taskDefinition"] for one in in_use))


def agent_task_definitions(examination: Examination) -> list[str]:
    """Return the families that the deployed definition runs tasks of; ECS runs the latest active revision of each.

    A definition that was edited may name revisions. None when there is no such workflow.

    Raises:
        CannotLookError: Step Functions refused or did not answer.
    """
    machine = state_machine(examination)
    try:
        states = json.loads(machine["definition"])["States"].values() if machine else ()
    except (ValueError, KeyError):  # the check `state-machine` says so
        return []
    runs = [one.get("Arguments", {}) for one in states if one.get("Resource", "").startswith(_RUN_TASK)]
    named = [arguments["TaskDefinition"] for arguments in runs if "TaskDefinition" in arguments]
    return list(dict.fromkeys(name for text in named for name in _CHOICES.findall(text) or [text]))


def stacks_own(stack: Stack, task_definition: str) -> tuple[str, str]:
    """Logical id and ARN of the stack's task definition in the family of this one; empty when it has none."""
    own = stack.of_type("AWS::ECS::TaskDefinition").items()
    family = family_of(task_definition)
    return next(((name, arn) for name, arn in own if family_of(arn) == family), ("", ""))


def family_of(task_definition: str) -> str:
    """Return the family of a task definition that is named by its ARN, by family and revision, or by family alone."""
    return task_definition.rpartition("/")[2].partition(":")[0]


def state_machine(examination: Examination) -> Document | None:
    """Return the workflow as it is deployed; None when there is none.

    Raises:
        CannotLookError: Step Functions refused or did not answer.
    """
    arn = examination.stack.physical_id("SessionStateMachine")
    if not arn:
        return None
    missing = ["StateMachineDoesNotExist"]
    return examination.aws.ask("stepfunctions", "describe_state_machine", missing=missing, stateMachineArn=arn)


def task_definition(examination: Examination, name: str) -> Document | None:
    """Return the task definition of this ARN or family; None when no task can be started from it any more.

    Raises:
        CannotLookError: ECS refused or did not answer.
    """
    # A client exception is all that ECS says of one that it does not know.
    answer = examination.aws.ask("ecs", "describe_task_definition", missing=["ClientException"], taskDefinition=name)
    definition: Document | None = answer["taskDefinition"] if answer else None
    return definition if definition and definition.get("status", "ACTIVE") == "ACTIVE" else None


def container(definition: Document, name: str) -> Document | None:
    """Return the task definition's container of this name, if it has it."""
    return next((one for one in definition["containerDefinitions"] if one["name"] == name), None)


def running_proxy_tasks(examination: Examination) -> list[Document]:
    """Return the proxy's tasks that are meant to run.

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

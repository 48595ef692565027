"""Defect: ecs:runTask answers in camelCase, all refusals are ECS.RunTaskFailed, no task is a success, any field goes.

AWS documents the results of service integrations in PascalCase (`$states.result.Tasks[0].TaskArn`), and errors
by the class the service answers with (`ECS.InvalidParameterException`, `ECS.ClusterNotFoundException`). An answer
whose `failures` say why there is no task, for want of capacity for instance, is an `ECS.AmazonECSException`. A field
that the integration does not support fails the state; `StartedBy`, `Count` and `Tags` are among those.

Source: AWS Step Functions Developer Guide, "Run Amazon ECS or Fargate tasks with Step Functions", an earlier edition of
which lists the supported parameters, and "Passing parameters to a service API"; AWS re:Post Knowledge Center, "How do I
troubleshoot an Amazon ECS RunTask API for a Fargate task that fails with a "Capacity is unavailable" error?". The guide
names that error AmazonECS.Unknown, the Knowledge Center ECS.AmazonECSException, as it is here.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import Any

from ministack.services import ecs, stepfunctions

Json = dict[str, Any]

_RESOURCE = "arn:aws:states:::ecs:runTask"
# fmt: off
_SUPPORTED = frozenset((
    "Cluster", "EnableExecuteCommand", "Group", "LaunchType", "NetworkConfiguration", "Overrides",
    "PlacementConstraints", "PlacementStrategy", "PlatformVersion", "PropagateTags", "TaskDefinition",
))
# fmt: on


def apply() -> None:
    """Replace the integration, but for its `.sync` form, which waits for the task's end."""
    original = stepfunctions._SERVICE_DISPATCH[_RESOURCE]

    def run_task(resource: str, data: Json) -> object:
        return original(resource, data) if resource.endswith(".sync") else _run_task(data)

    stepfunctions._SERVICE_DISPATCH[_RESOURCE] = run_task


def _run_task(data: Json) -> object:
    if unsupported := sorted(data.keys() - _SUPPORTED):
        message = f"The field {unsupported[0]!r} is not supported by Step Functions"
        raise stepfunctions._ExecutionError("States.Runtime", message)
    status, _, body = ecs._run_task(stepfunctions._pascal_to_camel(data))
    answer = json.loads(body)
    if status >= 400:  # noqa: PLR2004 - HTTP
        raise stepfunctions._ExecutionError(f"ECS.{answer['__type']}", answer.get("message", ""))
    if answer["failures"]:
        reasons = "; ".join(failure["reason"] for failure in answer["failures"])
        raise stepfunctions._ExecutionError("ECS.AmazonECSException", reasons)
    return stepfunctions._sdk_json_result("ecs", "RunTask", answer)

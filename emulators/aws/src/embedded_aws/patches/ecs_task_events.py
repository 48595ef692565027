"""Defect: ECS sends no "ECS Task State Change" events to EventBridge.

AWS documents one for each change of lastStatus or desiredStatus, whose detail is the task as DescribeTasks
returns it: version, overrides with their environment, stoppedReason, containers with exit codes, group, startedBy where
it was given, and attachments, whose type is `eni` there. The version is that of the detail and grows with each change.
A task begins at PROVISIONING; ACTIVATING, at which the version stays, is no event here.

Source: Amazon ECS Developer Guide, "Amazon ECS events" and "Amazon ECS task state change events"; of ACTIVATING none
found, assumed from the version.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.core.responses import request_scope
from ministack.services import ecs, eventbridge

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Task = dict[str, Any]

_TRANSITIONS = ("_mark_task_pending", "_mark_task_running", "_mark_task_stopped")
_NETWORK_INTERFACE = "ElasticNetworkInterface"  # which DescribeTasks says where an event says eni


def apply() -> None:
    """Publish as a task begins and after every transition."""
    wrap(ecs, "_run_task_worker", _begin)
    for transition in _TRANSITIONS:
        wrap(ecs, transition, _transition)


def publish(task: Task) -> None:
    """Put the event of the task's present state on the default bus."""
    entry = {
        "Source": "aws.ecs",
        "DetailType": "ECS Task State Change",
        "Resources": [task["taskArn"]],
        "Detail": json.dumps(_detail(ecs._sanitize(task)), default=str),
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _detail(task: Task) -> Task:
    attachments = [
        one | {"type": "eni"} if one["type"] == _NETWORK_INTERFACE else one for one in task.get("attachments", [])
    ]
    detail = task | {"attachments": attachments}
    return detail if detail["startedBy"] else {name: value for name, value in detail.items() if name != "startedBy"}


def _begin(original: Callable[..., None], task: Task, *args: Any) -> None:  # noqa: ANN401 - ministack's own
    *_, account_id, region = args
    with request_scope(account_id, region):
        publish(task)
    original(task, *args)


def _transition(original: Callable[..., bool], task_arn: str, task: Task, *args: object, **kwargs: object) -> bool:
    changed = original(task_arn, task, *args, **kwargs)
    if changed:
        publish(task)
    return changed

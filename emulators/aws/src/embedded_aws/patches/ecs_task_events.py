"""Defect: ECS sends no "ECS Task State Change" events to EventBridge.

AWS documents one for each change of lastStatus or desiredStatus, whose detail is the task as DescribeTasks
returns it: overrides with their environment, stoppedReason, containers with exit codes, startedBy and group.

Source: Amazon ECS Developer Guide, "Amazon ECS events", Task state change events.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import ecs, eventbridge

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Task = dict[str, Any]

_TRANSITIONS = ("_mark_task_pending", "_mark_task_activating", "_mark_task_running", "_mark_task_stopped")


def apply() -> None:
    """Publish after every transition."""
    for transition in _TRANSITIONS:
        wrap(ecs, transition, _transition)


def publish(task: Task) -> None:
    """Put the event of the task's present state on the default bus."""
    entry = {
        "Source": "aws.ecs",
        "DetailType": "ECS Task State Change",
        "Resources": [task["taskArn"]],
        "Detail": json.dumps(ecs._sanitize(task), default=str),
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _transition(original: Callable[..., bool], task_arn: str, task: Task, *args: object, **kwargs: object) -> bool:
    changed = original(task_arn, task, *args, **kwargs)
    if changed:
        publish(task)
    return changed

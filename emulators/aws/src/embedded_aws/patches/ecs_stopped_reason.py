"""Defect: a task whose container ended says "Essential container exited".

AWS documents the text as "Essential container in task exited", which is what people and programs look for.

Source: Amazon ECS Developer Guide, "Checking stopped tasks for errors in the Amazon ECS classic console".
Upstream: not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_AWS_WORDS = {"Essential container exited": "Essential container in task exited"}


def apply() -> None:
    """Use AWS's words."""
    wrap(ecs, "_mark_task_stopped", _mark_task_stopped)


def _mark_task_stopped(
    original: Callable[..., bool], task_arn: str, task: dict[str, Any], reason: str, *args: object, **kwargs: object
) -> bool:
    return original(task_arn, task, _AWS_WORDS.get(reason, reason), *args, **kwargs)

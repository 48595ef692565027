"""Defect: a task can be run from a deregistered task definition, and a family stands for such a revision, too.

AWS documents a family without a revision as its latest ACTIVE revision, and that no new task can be run from an
INACTIVE one; a service that has one already goes on replacing its tasks.

Source: SDK model "ecs": DeregisterTaskDefinition and RunTaskRequest.taskDefinition.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json
from ministack.services import ecs

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_DEPLOYMENT = "_deploymentId"  # what ministack adds to the requests of its service scheduler


def apply() -> None:
    """Resolve families as documented, and refuse to run what is deregistered."""
    wrap(ecs, "_resolve_td_key", _resolve)
    wrap(ecs, "_run_task", _run_task)
    ecs._ACTION_MAP["RunTask"] = ecs._run_task


def _resolve(original: Callable[..., str | None], reference: str) -> str | None:
    key = original(reference)
    family = reference.rpartition("/")[2]
    if not key or ":" in family:
        return key
    active = [
        one["revision"] for one in ecs._task_defs.values() if (one["family"], one["status"]) == (family, "ACTIVE")
    ]
    return f"{family}:{max(active)}" if active else family


def _run_task(original: Callable[..., object], request: dict[str, Any]) -> object:
    definition = ecs._task_defs.get(ecs._resolve_td_key(request.get("taskDefinition", "")))
    if definition and definition["status"] != "ACTIVE" and _DEPLOYMENT not in request:
        return error_response_json("ClientException", "TaskDefinition is inactive", 400)
    return original(request)

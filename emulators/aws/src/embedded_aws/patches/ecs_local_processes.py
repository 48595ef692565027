"""Tasks run as local processes or by a container engine's command: ministack's Docker client is replaced.

Along the way the members of a container definition that ministack drops reach the container (EntryPoint, StopTimeout,
limits, user, capabilities, file systems), and the platform's AWS_REGION does; what is left of a task that ended by
itself is cleaned up too.

Source: SDK model "ecs": ContainerDefinition.entryPoint and ContainerDefinition.stopTimeout; Amazon ECS
Developer Guide, "Amazon ECS environment variables" (AWS_REGION).
Upstream: not reported: ministack's own way, Docker, is no defect.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_region
from ministack.services import ecs

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.patches import Context

    Json = dict[str, Any]

_DEFAULT_STOP_TIMEOUT_SECONDS = 30  # the documented default of stopTimeout on Fargate


def apply(context: Context) -> None:
    """Have ECS run containers by way of our client and free a task's address when the task has ended."""

    def clean_up(original: Callable[..., None], task: Json, _docker: object, *args: object) -> None:
        original(task, context.docker, *args)
        context.addresses.release(task["taskArn"])

    ecs._docker = context.docker
    wrap(ecs, "_build_run_kwargs", _run_arguments)
    wrap(ecs, "_cleanup_task_resources", clean_up)


def _run_arguments(
    original: Callable[..., Json], definition: Json, task_definition: Json, env: Json, *args: object
) -> Json:
    platform = {
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
    }
    arguments = original(definition, task_definition, platform | env, *args)
    arguments.pop("platform", None)  # a process runs on this machine's architecture, an image on its own
    return arguments | {
        "entrypoint": definition.get("entryPoint"),
        "stop_timeout": float(definition.get("stopTimeout", _DEFAULT_STOP_TIMEOUT_SECONDS)),
        "definition": definition,
        "task_definition": task_definition,
    }

"""Defect: task metadata (version 4) has no Networks.

AWS documents `Networks: [{"NetworkMode": "awsvpc", "IPv4Addresses": [...]}]` on each container; it is how a
task learns its own address.

Source: Amazon ECS Developer Guide, "Task metadata endpoint version 4".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import ecs, ecs_metadata

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.patches import Context


def apply(context: Context) -> None:
    """Tell each container its task's address."""

    def register(original: Callable[..., str], task_arn: str, *args: object) -> str:
        token = original(task_arn, *args)
        network = {"NetworkMode": "awsvpc", "IPv4Addresses": [context.addresses.of(task_arn)]}
        ecs_metadata._TOKEN_TO_CONTAINER[token]["Networks"] = [network]
        return token

    wrap(ecs, "_register_metadata", register)

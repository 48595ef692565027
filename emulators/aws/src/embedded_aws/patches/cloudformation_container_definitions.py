"""Defect: members of nested lists in a template's ContainerDefinitions keep their PascalCase names.

ECS knows camelCase names only, so `Secrets` become `[{}]` and the container starts without them; the same
goes for DependsOn, Ulimits, HealthCheck and LinuxParameters.

Source: AWS CloudFormation Template Reference, "AWS::ECS::TaskDefinition ContainerDefinition"; SDK model "ecs":
ContainerDefinition.secrets, ContainerDefinition.dependsOn.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Definitions = list[dict[str, Any]]

_NESTED = ("secrets", "dependsOn", "ulimits", "healthCheck", "extraHosts", "linuxParameters")


def apply() -> None:
    """Give nested members the names the ECS API has for them."""
    wrap(provisioners, "_normalize_container_defs", _normalize)


def _normalize(original: Callable[[Definitions], Definitions], definitions: Definitions) -> Definitions:
    return [
        {name: provisioners._pascal_to_camel(value) if name in _NESTED else value for name, value in each.items()}
        for each in original(definitions)
    ]

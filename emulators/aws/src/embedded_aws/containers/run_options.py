"""What a task definition says of a container, as options of an engine's `run`.

Source: SDK model "ecs": ContainerDefinition.readonlyRootFilesystem, ContainerDefinition.user,
ContainerDefinition.ulimits, ContainerDefinition.linuxParameters, ContainerDefinition.mountPoints,
KernelCapabilities.drop; of cpu and memory TaskDefinition.cpu, "1024 is 1 vCPU", and TaskDefinition.memory, in MiB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_CPU_UNITS = 1024


def run_options(definition: Mapping[str, Any], task_definition: Mapping[str, Any]) -> list[str]:
    """Return the limits, user, capabilities and file systems of a container; the task's limits where it has none."""
    cpu = definition.get("cpu") or task_definition.get("cpu")
    memory = definition.get("memory") or task_definition.get("memory")
    linux = definition.get("linuxParameters", {})
    capabilities = linux.get("capabilities", {})
    options = [
        *([f"--cpus={int(cpu) / _CPU_UNITS:g}"] if cpu else []),
        *([f"--memory={int(memory)}m"] if memory else []),
        *([f"--user={definition['user']}"] if definition.get("user") else []),
        *(["--read-only"] if definition.get("readonlyRootFilesystem") else []),
        *(["--init"] if linux.get("initProcessEnabled") else []),
    ]
    options += [f"--cap-drop={name}" for name in capabilities.get("drop", [])]
    options += [f"--cap-add={name}" for name in capabilities.get("add", [])]
    options += [
        f"--ulimit={limit['name']}={limit['softLimit']}:{limit['hardLimit']}" for limit in definition.get("ulimits", [])
    ]
    # Fargate's volumes are empty at first, or hold what the image has where it declares one: as an anonymous volume.
    options += [
        f"--volume={mount['containerPath']}{':ro' * bool(mount.get('readOnly'))}"
        for mount in definition.get("mountPoints", [])
    ]
    return options

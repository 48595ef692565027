"""Tasks as containers of their images: the engine that runs them, the network that it gives them, and what is left.

Each task has a network namespace and an address of its own, and the limits, user and capabilities that its task
definition says. What this machine serves on 127.0.0.1 a task reaches at its own 127.0.0.1: of the embedded AWS, the
local GitHub and the model the ports, and no others.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel

from cloud_agent_local.errors import MissingToolError, PartFailedError
from embedded_aws.containers.engine import Engine, EngineError, find_engine
from embedded_aws.containers.engine_container import remove_left_over
from embedded_aws.settings import EngineSettings

if TYPE_CHECKING:
    from pathlib import Path

_SUBNET = re.compile(r'"subnet":\s*"([0-9.]+/[0-9]+)"', re.IGNORECASE)  # docker's inspect and podman's differ around it


class TaskEngine(BaseModel):
    """The engine of one installation, and its network there."""

    program: str
    network: str
    subnet: str


def choose() -> Engine:
    """Return the container engine that this machine has.

    Raises:
        MissingToolError: it has none whose networks this machine reaches.
    """
    engine = find_engine()
    if engine is None:
        raise MissingToolError("--containers needs Docker or Podman, and neither answers on this machine.")
    if sys.platform != "linux" or (engine.program == "podman" and os.getuid()):
        raise MissingToolError(
            "--containers needs Docker on Linux, or Podman as root: elsewhere containers have a network that this "
            "machine does not reach."
        )
    return engine


def create_network(engine: Engine, state_dir: Path) -> TaskEngine:
    """Guarantee that the installation has a network of its own, with no container in it.

    Raises:
        PartFailedError: the engine can't make it, or can't remove what an earlier one left.
    """
    network = f"cloud-agent-{hashlib.sha256(str(state_dir).encode()).hexdigest()[:8]}"
    remove(TaskEngine(program=engine.program, network=network, subnet=""))
    try:
        engine.run("network", "create", network)
        found = _SUBNET.search(engine.run("network", "inspect", network))
    except EngineError as error:
        raise PartFailedError(str(error)) from error
    if not found:
        raise PartFailedError(f"{engine.program} gave the network {network} no addresses.")
    return TaskEngine(program=engine.program, network=network, subnet=found[1])


def remove(left: TaskEngine) -> None:
    """Delete the network and every container of the installation, whatever ended them or did not.

    Raises:
        PartFailedError: something is still there.
    """
    engine = Engine(left.program)
    try:
        remove_left_over(engine, EngineSettings(left.program, left.network, "").label)
        if left.network in engine.run("network", "ls", "--format", "{{.Name}}").split():
            engine.run("network", "rm", left.network)
    except EngineError as error:
        raise PartFailedError(f"The network {left.network} and its containers can't be removed. {error}") from error

"""A network namespace and an address for each task, as awsvpc gives it: one small container holds them.

The task's containers join it. It runs the relay, by which they reach what the embedded AWS's machine serves on
127.0.0.1.

Source: Amazon ECS Developer Guide, "Amazon ECS task networking options for Fargate": each task has its own elastic
network interface.
"""

from __future__ import annotations

import os
import subprocess
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedded_aws.containers.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedded_aws.containers.engine import Engine

_RELAY = Path(__file__).with_name("relay.py")
_IN_CONTAINER = "/relay.py"
_SOCKETS = "/run/machine"
_READY = b"ready\n"


@dataclass(frozen=True)
class _TaskNetwork:
    holder: str
    address: str
    process: subprocess.Popen[bytes]


class TaskNetworks:
    """Gives each task a namespace on one of the engine's networks, and takes it away when the task is over."""

    def __init__(  # noqa: PLR0913 - what a namespace is made of
        self, engine: Engine, *, network: str, label: str, image: str, sockets: Path, ports: Sequence[int]
    ) -> None:
        """Make nothing yet.

        Args:
            engine: Makes them.
            network: The engine's network that tasks get addresses of.
            label: Every container has it.
            image: Has Python, and holds the namespaces.
            sockets: Where `relay.serve_machine` listens.
            ports: The machine's ports on 127.0.0.1 that tasks reach.
        """
        self._engine = engine
        self._network = network
        self._label = label
        self._image = image
        self._sockets = sockets
        self._ports = ports
        self._lock = threading.Lock()
        self._networks: dict[str, _TaskNetwork] = {}

    def of(self, task_arn: str) -> str:
        """Return the task's address; the first call makes its namespace.

        Raises:
            EngineError: It couldn't be made.
        """
        return self._network_of(task_arn).address

    def holder_of(self, task_arn: str) -> str:
        """Return the name of the container whose namespace the task's containers join.

        Raises:
            EngineError: It couldn't be made.
        """
        return self._network_of(task_arn).holder

    def release(self, task_arn: str) -> None:
        """Take the task's namespace away. Call it once no container of the task is left."""
        with self._lock:
            network = self._networks.pop(task_arn, None)
        if network:
            _end(network.process)

    def _network_of(self, task_arn: str) -> _TaskNetwork:
        """ECS starts a task from one thread: no two calls make a namespace for the same one."""
        with self._lock:
            network = self._networks.get(task_arn)
        if network is None:
            network = self._make()
            with self._lock:
                self._networks[task_arn] = network
        return network

    def _make(self) -> _TaskNetwork:
        holder = f"task-network-{uuid.uuid4().hex}"
        options = ["--rm", "--interactive", "--name", holder, "--label", self._label, "--network", self._network]
        options += ["--read-only", "--cap-drop", "all", "--user", f"{os.getuid()}:{os.getgid()}", "--pull", "never"]
        options += ["--volume", f"{_RELAY}:{_IN_CONTAINER}:ro", "--volume", f"{self._sockets}:{_SOCKETS}"]
        program = ["-I", _IN_CONTAINER, _SOCKETS, *map(str, self._ports)]
        process = self._engine.start(
            "run", *options, "--entrypoint", "python3", self._image, *program, stdin=subprocess.PIPE
        )
        if (said := _said_until_ready(process)) is not None:
            _end(process)
            raise EngineError(f"{self._engine.program} made no network for a task: {said}")
        field = f'{{{{(index .NetworkSettings.Networks "{self._network}").IPAddress}}}}'
        return _TaskNetwork(holder, self._engine.run("inspect", "--format", field, holder), process)


def _said_until_ready(process: subprocess.Popen[bytes]) -> str | None:
    """Return None once it's ready, else its last words. The engine may have warned of something before that."""
    said = b""
    for line in process.stdout or ():
        if line == _READY:
            return None
        said = line
    return said.decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    process.wait()
    if process.stdout:
        process.stdout.close()

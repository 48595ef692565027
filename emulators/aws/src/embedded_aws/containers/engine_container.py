"""A container of this machine's container engine, limited as its task definition says."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from embedded_aws.containers.container import Container
from embedded_aws.containers.engine import EngineError
from embedded_aws.containers.run_options import run_options
from embedded_aws.images import ImageNotFoundError

if TYPE_CHECKING:
    from embedded_aws.containers.container import ContainerRequest
    from embedded_aws.containers.engine import Engine
    from embedded_aws.containers.task_networks import TaskNetworks

_REMOVAL_SECONDS = 10.0
_TASK_ARN = "com.amazonaws.ecs.task-arn"


class EngineRunner:
    """Runs each container as the engine's, in its task's network namespace."""

    def __init__(self, engine: Engine, networks: TaskNetworks, label: str) -> None:
        """Start nothing yet; `label` is on every container."""
        self._engine = engine
        self._networks = networks
        self._label = label

    def require_image(self, image: str) -> None:
        """Return if the engine has the image.

        Raises:
            ImageNotFoundError: It hasn't.
        """
        if not self._engine.has_image(image):
            raise ImageNotFoundError(f"failed to resolve ref {image}: {self._engine.program} doesn't have it")

    def start(self, request: ContainerRequest) -> EngineContainer:
        """Start the image.

        Raises:
            ImageNotFoundError: The engine doesn't have it.
        """
        self.require_image(request.image)
        request.log.parent.mkdir(parents=True, exist_ok=True)
        arguments, command = list(request.entry_point or []), request.command
        options = ["--name", request.id, "--label", self._label, "--pull", "never", "--log-driver", "none"]
        options += ["--network", f"container:{self._networks.holder_of(request.task_arn)}"]
        options += run_options(request.definition, request.task_definition)
        if "--read-only" in options and self._engine.is_podman:
            options.append("--read-only-tmpfs=false")  # podman's own default: folders to write to that Fargate hasn't
        options += [f"--label={name}={value}" for name, value in request.labels.items()]
        options += [f"--env={name}" for name in request.environment]
        if arguments:
            options += ["--entrypoint", arguments.pop(0)]
        with request.log.open("ab") as log:
            process = self._engine.start(
                "run", *options, request.image, *arguments, *command, environment=request.environment, output=log
            )
        return EngineContainer(request, process, self._engine)


def remove_left_over(engine: Engine, label: str) -> None:
    """Delete what a killed embedded AWS left: tasks' containers, and then those that hold the networks they are in.

    Raises:
        EngineError: Something is still there.
    """
    engine.remove_all(label, _TASK_ARN)
    engine.remove_all(label)


class EngineContainer(Container):
    """A command of the engine that's attached to the container, and ends with it and as it does."""

    def __init__(self, request: ContainerRequest, process: subprocess.Popen[bytes], engine: Engine) -> None:
        """Stand for the container that `process` is attached to."""
        super().__init__(request, process)
        self._engine = engine

    def stop_within(self, seconds: float) -> None:
        """Stop, with SIGKILL after `seconds` or StopTimeout, whichever is less."""
        grace = min(seconds, self._request.stop_timeout_seconds)
        try:
            self._engine.run("stop", "-t", str(round(grace)), self.id)
        except EngineError:  # it has ended meanwhile, or isn't there yet
            self._process.terminate()
        self._process.wait()

    def remove(self, **_: object) -> None:
        """Kill what runs and delete the container with its volumes; the log stays."""
        with suppress(EngineError):
            self._engine.run("rm", "--force", "--volumes", self.id)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_REMOVAL_SECONDS)
        self.removed = True

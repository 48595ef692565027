"""The container client ministack's ECS is given in place of docker-py's."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from subprocess import TimeoutExpired
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from embedded_aws import settings
from embedded_aws.containers.container import ContainerRequest
from embedded_aws.images import ImageNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from embedded_aws.containers.container import Addresses, Container, Runner

_TASK_ARN = "com.amazonaws.ecs.task-arn"
_FAMILY = "com.amazonaws.ecs.task-definition-family"
_CONTAINER_NAME = "com.amazonaws.ecs.container-name"


class ContainerNotFoundError(Exception):
    """No container has this id, or it was removed."""


class KnownImages:
    """docker-py's `client.images`: what can be run is the whole registry and is always pulled."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def get(self, image: str) -> str:
        """Return the image, if it can be run.

        Raises:
            ImageNotFoundError: It can't.
        """
        self._runner.require_image(image)
        return image

    def pull(self, image: str, **_: object) -> SimpleNamespace:
        """Nothing to fetch; an unknown image fails when it is run."""
        return SimpleNamespace(id=image, tag=lambda *_, **__: True)

    def get_registry_data(self, image: str, **_: object) -> SimpleNamespace:
        """No manifest digest exists to pin, so ECS keeps the tag.

        Raises:
            ImageNotFoundError: Always.
        """
        raise ImageNotFoundError(f"{image} has no registry manifest here")


class Containers:
    """docker-py's `client.containers`, of which ministack's ECS uses run, get and list."""

    def __init__(self, runner: Runner, addresses: Addresses, log_dir: Path) -> None:
        """Start nothing yet."""
        self._runner = runner
        self._addresses = addresses
        self._log_dir = log_dir
        self._containers: dict[str, Container] = {}
        self._lock = threading.Lock()

    def run(  # noqa: PLR0913 - docker-py's signature
        self,
        image: str,
        *,
        labels: dict[str, str],
        environment: Mapping[str, str],
        stop_timeout: float,
        entrypoint: list[str] | None = None,
        command: list[str] | None = None,
        definition: Mapping[str, Any],
        task_definition: Mapping[str, Any],
        **_: object,
    ) -> Container:
        """Start a container.

        Raises:
            ecs._ImagePullError: The image is unknown; ECS stops the task with a CannotPullContainerError.
        """
        task_arn, name = labels[_TASK_ARN], labels[_CONTAINER_NAME]
        request = ContainerRequest(
            id=uuid.uuid4().hex * 2,
            image=image,
            entry_point=entrypoint,
            command=command or [],
            environment=environment,
            address=self._addresses.of(task_arn),
            log=self._log_of(labels[_FAMILY], task_arn.rsplit("/", 1)[-1], name),
            stop_timeout_seconds=stop_timeout,
            labels=labels,
            task_arn=task_arn,
            name=name,
            definition=definition,
            task_definition=task_definition,
        )
        try:
            container = self._runner.start(request)
        except ImageNotFoundError as error:
            raise ecs._ImagePullError(str(error)) from error  # noqa: SLF001 - what ministack catches
        with self._lock:
            present = {key: value for key, value in self._containers.items() if not value.removed}
            self._containers = present | {container.id: container}
        return container

    def get(self, container_id: str) -> Any:  # noqa: ANN401 - docker-py's shape, for ministack alone
        """Return the container of this id; under `settings.OWN_CONTAINER_NAME`, the embedded AWS itself.

        Raises:
            ContainerNotFoundError: There is none.
        """
        if container_id == settings.OWN_CONTAINER_NAME:
            networks = {"local": {"IPAddress": settings.HOST}}
            return SimpleNamespace(attrs={"NetworkSettings": {"Networks": networks}})
        with self._lock:
            container = self._containers.get(container_id)
        if container is None or container.removed:
            raise ContainerNotFoundError(container_id)
        return container

    def list(self, **_: object) -> list[Container]:
        """Every container not yet removed."""
        with self._lock:
            return [container for container in self._containers.values() if not container.removed]

    def stop_all(self, timeout_seconds: float) -> None:
        """Stop every container at the same time, killing what is left after `timeout_seconds`."""
        containers = self.list()
        with ThreadPoolExecutor(max_workers=max(1, len(containers))) as pool:
            for container in containers:
                pool.submit(container.stop_within, timeout_seconds)
        for container in containers:
            with suppress(TimeoutExpired):  # held by the kernel: nothing more can be done
                container.remove()

    def _log_of(self, family: str, task_id: str, container_name: str) -> Path:
        log = self._log_dir / f"{family}-{task_id}.log"
        return log if not log.exists() else log.with_suffix(f".{container_name}.log")


class ContainerClient:
    """The client as a whole: `containers` and `images`."""

    def __init__(self, containers: Containers, runner: Runner) -> None:
        self.containers = containers
        self.images = KnownImages(runner)

"""The container client ministack's ECS is given in place of docker-py's."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from subprocess import TimeoutExpired
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from embedded_aws import settings
from embedded_aws.containers.container import ContainerSpec, ProcessContainer
from embedded_aws.containers.environment import image_environment
from embedded_aws.images import ImageNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from embedded_aws.images import Images

_TASK_ARN = "com.amazonaws.ecs.task-arn"
_FAMILY = "com.amazonaws.ecs.task-definition-family"
_CONTAINER_NAME = "com.amazonaws.ecs.container-name"


class ContainerNotFoundError(Exception):
    """No container has this id, or it was removed."""


class KnownImages:
    """docker-py's `client.images`: what is known is the whole registry and is always pulled."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def get(self, image: str) -> str:
        """Return the image, if known.

        Raises:
            ImageNotFoundError: It is not.
        """
        self._images.entry_point(image)
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


class ProcessContainers:
    """docker-py's `client.containers`, of which ministack's ECS uses run, get and list."""

    def __init__(
        self,
        state_dir: Path,
        log_dir: Path,
        host_environment: Mapping[str, str],
        address_of: Callable[[str], str],
        images: Images,
    ) -> None:
        """Start nothing yet; delete what a killed embedded AWS left of its tasks' directories.

        Args:
            state_dir: Containers get their directories below `tasks/`.
            log_dir: Where the logs go.
            host_environment: Read for PATH, trusted certificates and proxies only.
            address_of: Gives a task ARN's address.
            images: What can be run.
        """
        self._tasks_dir = state_dir / "tasks"
        shutil.rmtree(self._tasks_dir, ignore_errors=True)
        self._log_dir = log_dir
        self._host_environment = host_environment
        self._address_of = address_of
        self._images = images
        self._containers: dict[str, ProcessContainer] = {}
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
        **_: object,
    ) -> ProcessContainer:
        """Start a container.

        Raises:
            ecs._ImagePullError: The image is unknown; ECS stops the task with a CannotPullContainerError.
        """
        try:
            argv = (entrypoint or self._images.entry_point(image)) + (command or [])
        except ImageNotFoundError as error:
            raise ecs._ImagePullError(str(error)) from error  # noqa: SLF001 - what ministack catches
        task_arn = labels[_TASK_ARN]
        task_id = task_arn.rsplit("/", 1)[-1]
        directory = self._tasks_dir / task_id / labels[_CONTAINER_NAME]
        image_like = image_environment(self._host_environment, home=directory / "home", temporary=directory / "tmp")
        container = ProcessContainer(
            ContainerSpec(
                argv=argv,
                environment=image_like | dict(environment),
                address=self._address_of(task_arn),
                directory=directory,
                log=self._log_of(labels[_FAMILY], task_id, labels[_CONTAINER_NAME]),
                stop_timeout_seconds=stop_timeout,
                labels=labels,
            )
        )
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

    def list(self, **_: object) -> list[ProcessContainer]:
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


class ProcessDocker:
    """The client as a whole: `containers` and `images`."""

    def __init__(self, containers: ProcessContainers, images: Images) -> None:
        self.containers = containers
        self.images = KnownImages(images)

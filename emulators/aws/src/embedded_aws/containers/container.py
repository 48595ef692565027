"""What every container is to ministack, whether it's a tree of local processes or an engine's."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FOLLOW_INTERVAL_SECONDS = 0.1


@dataclass(frozen=True)
class ContainerRequest:
    """All that ECS asks for.

    Attributes:
        id: Names the container; of this machine's containers no other has it.
        image: As the task definition names it.
        entry_point: In place of the image's own.
        command: The arguments.
        environment: The variables of the task definition, its secrets and RunTask's overrides.
        address: The task's own IPv4 address.
        log: Receives standard output and error.
        stop_timeout_seconds: From SIGTERM to SIGKILL.
        labels: Docker labels, by which ministack tells whose container it is.
        task_arn: The task that it belongs to.
        name: The container's, within its task.
        definition: The container definition.
        task_definition: The task definition that has it.
    """

    id: str
    image: str
    entry_point: list[str] | None
    command: list[str]
    environment: Mapping[str, str]
    address: str
    log: Path
    stop_timeout_seconds: float
    labels: dict[str, str]
    task_arn: str
    name: str
    definition: Mapping[str, Any] = field(default_factory=dict)
    task_definition: Mapping[str, Any] = field(default_factory=dict)


class Container(ABC):
    """A running or ended container, shaped like docker-py's `Container` where ministack looks."""

    def __init__(self, request: ContainerRequest, process: subprocess.Popen[bytes]) -> None:
        """Stand for `process`, which runs as long as the container does and ends with its exit status."""
        self.id = request.id
        self.labels = request.labels
        self.removed = False
        self.attrs: dict[str, Any] = {
            "NetworkSettings": {"Networks": {"local": {"IPAddress": request.address}}},
            "State": {},
        }
        self._request = request
        self._process = process

    @property
    def status(self) -> str:
        """`running` or `exited`."""
        return "running" if self._process.poll() is None else "exited"

    def reload(self) -> None:  # noqa: B027 - docker-py's, and needed by neither kind
        """Nothing is cached, so there is nothing to refresh."""

    def wait(self, timeout: float | None = None) -> dict[str, int]:
        """Return the exit status, once every process of the container is gone."""
        return {"StatusCode": self._process.wait(timeout)}

    def stop(self, **_: object) -> None:
        """SIGTERM to the main process, and SIGKILL to all after the task definition's StopTimeout.

        Returns when no process is left. ministack's own timeout is a constant and not looked at.
        """
        self.stop_within(self._request.stop_timeout_seconds)

    @abstractmethod
    def stop_within(self, seconds: float) -> None:
        """Stop, with SIGKILL after `seconds` or StopTimeout, whichever is less."""

    @abstractmethod
    def remove(self, **_: object) -> None:
        """Kill what runs and delete what the container kept; the log stays."""

    def logs(self, *, stream: bool = False, follow: bool = False, **_: object) -> bytes | Iterator[bytes]:
        """Return the whole output so far, or with `stream` its lines until the container has ended."""
        return self._lines(follow=follow) if stream else self._request.log.read_bytes()

    def _lines(self, *, follow: bool) -> Iterator[bytes]:
        with self._request.log.open("rb") as log:
            pending = b""
            while True:
                ended = self.status == "exited"  # before reading: what was written until now is then read
                pending += log.read()
                *lines, pending = pending.split(b"\n")
                yield from lines
                if ended or not follow:
                    break
                time.sleep(_FOLLOW_INTERVAL_SECONDS)
            if pending:
                yield pending


class Runner(Protocol):
    """How containers run on this machine."""

    def require_image(self, image: str) -> None:
        """Return if the image can be run.

        Raises:
            ImageNotFoundError: It can't.
        """

    def start(self, request: ContainerRequest) -> Container:
        """Start a container of an image that can be run.

        Raises:
            ImageNotFoundError: It can't.
        """


class Addresses(Protocol):
    """Gives each task an address of its own."""

    def of(self, task_arn: str) -> str:
        """Return the task's address, reserved at the first call."""

    def release(self, task_arn: str) -> None:
        """Free the task's address. Call it once no process of the task is left."""

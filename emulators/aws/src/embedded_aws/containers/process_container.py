"""A container as local processes: a shim, the tree below it, its directory and its log."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from embedded_aws.containers.container import Container
from embedded_aws.containers.environment import image_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedded_aws.containers.container import ContainerRequest
    from embedded_aws.images import Images

_SHIM = Path(__file__).with_name("shim.py")
# Docker's own default. Not `home`: what a repository's code leaves there is not to be in a program's way.
_WORKING_DIRECTORY = Path("/")
# A killed tree is gone in milliseconds; a process the kernel cannot kill must not block the caller for ever.
_KILL_TIMEOUT_SECONDS = 5.0


class ProcessRunner:
    """Runs each container as processes of this user."""

    def __init__(self, tasks_dir: Path, host_environment: Mapping[str, str], images: Images) -> None:
        """Start nothing yet; delete what a killed embedded AWS left of its tasks' directories.

        Args:
            tasks_dir: Containers get their directories below it.
            host_environment: Read for PATH, trusted certificates and proxies only.
            images: The program that each image stands for.
        """
        self._tasks_dir = tasks_dir
        shutil.rmtree(tasks_dir, ignore_errors=True)
        self._host_environment = host_environment
        self._images = images

    def require_image(self, image: str) -> None:
        """Return if a program is known for the image.

        Raises:
            ImageNotFoundError: None is.
        """
        self._images.entry_point(image)

    def start(self, request: ContainerRequest) -> ProcessContainer:
        """Start the program that the image stands for.

        Raises:
            ImageNotFoundError: None is known.
            OSError: A directory, the log or the shim could not be made.
        """
        argv = (request.entry_point or self._images.entry_point(request.image)) + request.command
        directory = self._new_directory()
        home, temporary = directory / "home", directory / "tmp"
        for each in (home, temporary, request.log.parent):
            each.mkdir(parents=True, exist_ok=True)
        image_like = image_environment(self._host_environment, home=home, temporary=temporary)
        return ProcessContainer(request, argv, image_like | dict(request.environment), directory)

    def _new_directory(self) -> Path:
        """Make the first directory that no container has: one after the other, they have the same home, as in an image.

        What names its own place can then be kept from one for the next.
        """
        for number in itertools.count(1):
            directory = self._tasks_dir / str(number)
            with suppress(FileExistsError):
                directory.mkdir(parents=True)
                break
        return directory


class ProcessContainer(Container):
    """A shim process and all below it."""

    def __init__(
        self, request: ContainerRequest, argv: list[str], environment: Mapping[str, str], directory: Path
    ) -> None:
        """Start `argv`, which sees `environment` and nothing else; `directory` is removed with the container."""
        self._directory = directory
        with request.log.open("ab") as log:
            shim = subprocess.Popen(  # noqa: S603 - argv comes from --image and the task definition
                [sys.executable, "-I", "-S", str(_SHIM), *argv],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=_WORKING_DIRECTORY,
                start_new_session=True,
            )
        super().__init__(request, shim)

    def stop_within(self, seconds: float) -> None:
        """Stop, with SIGKILL after `seconds` or StopTimeout, whichever is less."""
        self._process.terminate()
        try:
            self._process.wait(min(seconds, self._request.stop_timeout_seconds))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL every process of the container and wait for the last to be gone.

        Raises:
            subprocess.TimeoutExpired: One is left after 5 s, held by the kernel.
        """
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(_KILL_TIMEOUT_SECONDS)

    def remove(self, **_: object) -> None:
        """Kill what runs and delete the container's directory; the log stays."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)
        self.removed = True

"""One container: a shim process, the tree below it, its directory and its log."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHIM = Path(__file__).with_name("shim.py")
# Docker's own default. Not `home`: what a repository's code leaves there is not to be in a program's way.
_WORKING_DIRECTORY = Path("/")
_FOLLOW_INTERVAL_SECONDS = 0.1
# A killed tree is gone in milliseconds; a process the kernel cannot kill must not block the caller for ever.
_KILL_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class ContainerSpec:
    """All a container is started from.

    Attributes:
        argv: The program and its arguments.
        environment: Every variable the program sees.
        address: The task's own IPv4 address.
        directory: The container's own; holds `home` and `tmp`. Removed with the container.
        log: Receives standard output and error.
        stop_timeout_seconds: From SIGTERM to SIGKILL.
        labels: Docker labels, by which ministack tells whose container it is.
    """

    argv: list[str]
    environment: Mapping[str, str]
    address: str
    directory: Path
    log: Path
    stop_timeout_seconds: float
    labels: dict[str, str] = field(default_factory=dict)


class ProcessContainer:
    """A running or ended container, shaped like docker-py's `Container` where ministack looks."""

    def __init__(self, spec: ContainerSpec) -> None:
        """Start it.

        Raises:
            OSError: A directory, the log or the shim could not be made.
        """
        self.id = uuid.uuid4().hex * 2
        self.labels = spec.labels
        self.removed = False
        self.attrs: dict[str, Any] = {
            "NetworkSettings": {"Networks": {"local": {"IPAddress": spec.address}}},
            "State": {},
        }
        self._spec = spec
        home = spec.directory / "home"
        for directory in (home, spec.directory / "tmp", spec.log.parent):
            directory.mkdir(parents=True, exist_ok=True)
        with spec.log.open("ab") as log:
            self._shim = subprocess.Popen(  # noqa: S603 - argv comes from --image and the task definition
                [sys.executable, "-I", "-S", str(_SHIM), *spec.argv],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(spec.environment),
                cwd=_WORKING_DIRECTORY,
                start_new_session=True,
            )

    @property
    def status(self) -> str:
        """`running` or `exited`."""
        return "running" if self._shim.poll() is None else "exited"

    def reload(self) -> None:
        """Nothing is cached, so there is nothing to refresh."""

    def wait(self, timeout: float | None = None) -> dict[str, int]:
        """Return the exit status, once every process of the container is gone."""
        return {"StatusCode": self._shim.wait(timeout)}

    def stop(self, **_: object) -> None:
        """SIGTERM to the main process, and SIGKILL to all after the task definition's StopTimeout.

        Returns when no process is left. ministack's own timeout is a constant and not looked at.
        """
        self.stop_within(self._spec.stop_timeout_seconds)

    def stop_within(self, seconds: float) -> None:
        """Stop, with SIGKILL after `seconds` or StopTimeout, whichever is less."""
        self._shim.terminate()
        try:
            self._shim.wait(min(seconds, self._spec.stop_timeout_seconds))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL every process of the container and wait for the last to be gone.

        Raises:
            subprocess.TimeoutExpired: One is left after 5 s, held by the kernel.
        """
        if self._shim.stdin:
            self._shim.stdin.close()
        self._shim.wait(_KILL_TIMEOUT_SECONDS)

    def remove(self, **_: object) -> None:
        """Kill what runs and delete the container's directory; the log stays."""
        self.kill()
        shutil.rmtree(self._spec.directory, ignore_errors=True)
        with suppress(OSError):  # another container of the task is still there
            self._spec.directory.parent.rmdir()
        self.removed = True

    def logs(self, *, stream: bool = False, follow: bool = False, **_: object) -> bytes | Iterator[bytes]:
        """Return the whole output so far, or with `stream` its lines until the container has ended."""
        return self._lines(follow=follow) if stream else self._spec.log.read_bytes()

    def _lines(self, *, follow: bool) -> Iterator[bytes]:
        with self._spec.log.open("rb") as log:
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

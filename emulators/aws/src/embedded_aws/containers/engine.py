"""This machine's container engine: docker, or a program that is called as docker is."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAMS = ("docker", "podman", "finch")


class EngineError(Exception):
    """The engine refused or failed; the text is the last line that it printed."""


@dataclass(frozen=True)
class Engine:
    """One engine's command.

    Attributes:
        program: Its name.
        environment: The variables that it's called with: where its daemon and its configuration are.
    """

    program: str
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False, compare=False)

    @property
    def is_podman(self) -> bool:
        """Whether it has podman's options besides docker's."""
        return Path(self.program).name == "podman"

    @property
    def is_buildah(self) -> bool:
        """Whether it's buildah, which builds images and runs no containers of them."""
        return Path(self.program).name == "buildah"

    def run(self, *arguments: str, timeout: float | None = None) -> str:
        """Return what a command of the engine prints.

        Raises:
            EngineError: It failed, or was still running after `timeout` seconds.
        """
        try:
            done = subprocess.run(  # noqa: S603 - a command of the engine, put together here
                [self.program, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=dict(self.environment),
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"{self.program} {arguments[0]}: {error}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise EngineError(f"{self.program} {arguments[0]}: {said[-1] if said else done.returncode}")
        return done.stdout.decode(errors="replace").strip()

    def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        output: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start a command of the engine, out of reach of a terminal's Ctrl-C.

        `environment` is known to the command besides its own variables: an `--env NAME` without a value passes one on,
        and none is ever an argument, which everybody on the machine could read.
        """
        return subprocess.Popen(  # noqa: S603 - a command of the engine, put together by the callers
            [self.program, *arguments],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(self.environment) | dict(environment or {}),
            start_new_session=True,
        )

    def has_image(self, image: str) -> bool:
        """Whether the image is on this machine."""
        try:
            self.run(*(("inspect", "--type=image") if self.is_buildah else ("image", "inspect")), image)
        except EngineError:
            return False
        return True

    def remove_all(self, *labels: str) -> None:
        """Kill and delete every container with all of these labels.

        Raises:
            EngineError: One of them is still there.
        """
        found = self._containers(labels)
        for container in found:
            with suppress(EngineError):  # gone meanwhile: it removes itself
                self.run("rm", "--force", "--volumes", container)
        if left := set(found) & set(self._containers(labels)):
            raise EngineError(f"{self.program} rm: these containers are still there: {', '.join(sorted(left))}")

    def _containers(self, labels: Sequence[str]) -> list[str]:
        filters = [f"--filter=label={label}" for label in labels]
        return self.run("ps", "--all", "--quiet", "--no-trunc", *filters).split()


def find_engine(programs: Sequence[str] = PROGRAMS) -> Engine | None:
    """Return the first of these engines that's installed and answers."""
    for engine in map(Engine, filter(shutil.which, programs)):
        try:
            engine.run("info", timeout=20)
        except EngineError:  # docker's command without its daemon
            continue
        return engine
    return None

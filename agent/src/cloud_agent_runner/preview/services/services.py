"""Runs a session's services: made when they are first needed, restarted when they die, gone with the session."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

from cloud_agent_runner.preview.errors import PreviewError
from cloud_agent_runner.preview.services.programs import PROGRAMS
from cloud_agent_runner.workspace.command import WorkspaceCommand
from cloud_agent_runner.workspace.user import Processes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_agent_runner.preview.services.service import Program, Wanted
    from cloud_agent_runner.repository.config import ServiceName
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

_READY_SECONDS = 60
_LOOK_SECONDS = 0.1
_LINES = 200
_LINES_SHOWN = 10
# Debian keeps PostgreSQL's own programs out of PATH, one folder for each major version.
_POSTGRES_FOLDERS = Path("/usr/lib/postgresql")


ServiceState = Literal["starting", "running", "failed", "ended"]


class ServiceFailedError(PreviewError):
    """A service isn't there, or doesn't come up."""


class RecordService(Protocol):
    """Where it's recorded how a service is from now on, with the lines that say why, or what else is to be known."""

    def __call__(self, name: ServiceName, state: ServiceState, lines: str = "") -> None:
        """Record it."""


def _nowhere(name: ServiceName, state: ServiceState, lines: str = "") -> None:
    """Record nothing."""


class Services:
    """The session's services, which listen on `host` alone, at the ports that everybody knows them by.

    They run as the workspace's user, in a folder of its home, and keep their data until the session ends. Each start,
    failure and end is recorded, whoever ended it.
    """

    def __init__(self, user: WorkspaceUser, host: str, record: RecordService = _nowhere) -> None:
        self.host = host
        self._user = user
        self._record = record
        self._running: dict[ServiceName, tuple[Wanted, WorkspaceCommand]] = {}
        self._ends: dict[ServiceName, asyncio.Task[None]] = {}
        self._environment: dict[str, str] = {}

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which programs find the services that run: DATABASE_URL, REDIS_URL and each one's own."""
        return MappingProxyType(self._environment)

    def has(self, wanted: Wanted) -> bool:
        """Whether there is a program for it."""
        executable = PROGRAMS[wanted.name](wanted, self.host).executable
        return shutil.which(executable, path=self._path(wanted.version)) is not None

    async def run(self, wanted: Sequence[Wanted]) -> list[str]:
        """Have these run, and no others. What runs already stays as it is, with its data.

        Returns, for people, which of those that it has started are of another version than the repository's.

        Raises:
            ServiceFailedError: one isn't there, or doesn't come up; in words for people.
        """
        for name, (one, command) in list(self._running.items()):
            if one not in wanted or command.has_ended:
                await self._end(name, command)
                del self._running[name]
        programs = {one: PROGRAMS[one.name](one, self.host) for one in wanted}
        # The first says what DATABASE_URL is, as the first that the repository names.
        self._environment.clear()
        for program in reversed(programs.values()):
            self._environment.update({name: value for name, value in program.environment.items() if value})
        new = [(one, program) for one, program in programs.items() if one.name not in self._running]
        started = [await self._start(one, program) for one, program in new]
        return list(filter(None, started))

    async def aclose(self) -> None:
        """End all of them."""
        running, self._running = self._running, {}
        await asyncio.gather(*(self._end(name, command) for name, (_, command) in running.items()))

    async def _end(self, name: ServiceName, command: WorkspaceCommand) -> None:
        await command.end()
        if name in self._ends:
            await self._ends.pop(name)

    async def _record_end(self, name: ServiceName, command: WorkspaceCommand) -> None:
        await command.wait()
        await command.drain()
        self._record(name, "ended", command.last_lines(_LINES_SHOWN))

    def _path(self, version: str) -> str:
        """Return where to look for servers: PostgreSQL of that version, then as everywhere, then the newest of it."""
        newest_first = sorted((folder.name for folder in _POSTGRES_FOLDERS.glob("[0-9]*")), key=float, reverse=True)
        folders = [str(_POSTGRES_FOLDERS / name / "bin") for name in newest_first]
        named = [folder for name, folder in zip(newest_first, folders, strict=True) if name == version]
        return os.pathsep.join([*named, self._user.environment()["PATH"], *folders])

    async def _start(self, wanted: Wanted, program: Program) -> str:
        """Start a service; return which version it is in a sentence, if the repository names another one."""
        self._record(wanted.name, "starting")
        try:
            command = await self._come_up(wanted, program)
        except ServiceFailedError as error:
            self._record(wanted.name, "failed", str(error))
            raise
        found = program.version.search(command.last_lines(_LINES))
        runs = found[1] if found else ""
        instead = (
            f"{program.title} {runs} runs instead of {wanted.version}, which the repository names and which isn't "
            "installed here."
            if runs and wanted.version and runs != wanted.version
            else ""
        )
        self._record(wanted.name, "running", instead)
        self._ends[wanted.name] = asyncio.create_task(self._record_end(wanted.name, command))
        logger.info("service ready", extra={"service": wanted.name, "wanted": wanted.version, "version": runs})
        return instead

    async def _come_up(self, wanted: Wanted, program: Program) -> WorkspaceCommand:
        if not self.has(wanted):
            raise ServiceFailedError(
                f"{program.title} isn't installed here. Use an image that has it (Debian's package "
                f"`{program.package}`), or set `services: []` in `.github/claude-cloud-agent.yml`."
            )
        data = self._user.home / "services" / wanted.name
        command = await WorkspaceCommand.start(
            wanted.name,
            f'mkdir -p "$DATA" && cd "$DATA" || exit\n{program.script}',
            user=self._user,
            directory=self._user.home,
            processes=Processes.SERVICE,
            environment={
                **self._user.environment(),
                "PATH": self._path(wanted.version),
                "DATA": str(data),
                "LISTEN": self.host,
            },
        )
        self._running[wanted.name] = (wanted, command)
        ended = asyncio.ensure_future(command.wait())
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not program.ready.search(command.last_lines(_LINES)):
                    if ended.done():
                        await command.drain()
                        raise ServiceFailedError(_words(program, f"ended with status {ended.result()}", command))
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError as error:
            raise ServiceFailedError(_words(program, f"wasn't ready within {_READY_SECONDS} s", command)) from error
        finally:
            ended.cancel()
            with suppress(asyncio.CancelledError):
                await ended
        return command


def _words(program: Program, what: str, command: WorkspaceCommand) -> str:
    return f"{program.title} {what}: {command.last_lines(_LINES_SHOWN)}"

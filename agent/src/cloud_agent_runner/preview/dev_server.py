"""The repository's dev server: installed, started with what runs beside it, and restarted when it ends."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import partial
from typing import TYPE_CHECKING, Literal

from cloud_agent_runner.preview.errors import PreviewError
from cloud_agent_runner.preview.exposure import Exposure
from cloud_agent_runner.preview.kept_process import KeptProcess
from cloud_agent_runner.preview.live_reload import reloads_pages
from cloud_agent_runner.preview.package_managers import installing_all_the_same
from cloud_agent_runner.preview.probe import NoResponseError, PageResponse, probe
from cloud_agent_runner.preview.remedies import remedy
from cloud_agent_runner.workspace.command import WorkspaceCommand
from cloud_agent_runner.workspace.command_output import Mask
from cloud_agent_runner.workspace.user import Processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from cloud_agent_runner.notices import Notices
    from cloud_agent_runner.preview.listen_address import ListenAddress
    from cloud_agent_runner.preview.plan import DevServerPlan, Process
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

LogSource = Literal["install", "dev_server"]

_NAME = "dev server"
_LOOK_SECONDS = 0.05
_FIRST_PROBE_PAUSE_SECONDS = 0.1
_LONGEST_PROBE_PAUSE_SECONDS = 10.0
_PROBE_PAUSE_GROWTH = 1.6
_ERROR_STANDS_SECONDS = 5.0  # many a dev server responds with an error, or a page that asks to wait, until it is up
_DEATHS_BEFORE_READY = 3
# What nodemon, Node.js' `--watch` and Deno's say last of an app that has ended. They start it again once a file
# changes, such as one that a compiler beside them is about to write.
_AWAITS_A_CHANGE = re.compile(
    r"waiting for (?:file )?changes before|(?:failed|completed) running '[^']+'$|restarting on file change",
    re.IGNORECASE,
)
_END_STANDS_SECONDS = 20.0
_LINES_READ = 50
_LINES_OF_A_FAILURE = 200
_IN_USE = re.compile("EADDRINUSE|address already in use|port \\d+ is (already )?in use", re.IGNORECASE)


def _hosts(domain: str) -> dict[str, str]:
    """Return what dev servers read of the names that they may be called, or told of: those of all sessions.

    Rails checks X-Forwarded-Host, too ("Rails: ActionDispatch::HostAuthorization"), and Vite the Host that it gets with
    `host_header: public` ("Vite: server.allowedHosts"). Create React App takes no names: with a `proxy` and without a
    private address to name itself, it ends over its own check ("Create React App: Proxying API Requests"). By port 0,
    its pages connect to the port that they came from ("webpack-dev-server: client.webSocketURL").
    """
    names = ("RAILS_DEVELOPMENT_HOSTS", "__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS")
    create_react_app = {"DANGEROUSLY_DISABLE_HOST_CHECK": "true", "WDS_SOCKET_PORT": "0"}
    return {**dict.fromkeys(names, f".{domain}"), **create_react_app} if domain else {}


class InstallFailedError(PreviewError):
    """The install command failed or took too long."""


class DevServerNotReadyError(PreviewError):
    """The dev server never responded."""


class DevServer:
    """The repository's own dev server: installed, kept running, and reachable at the task's address.

    It belongs to the supervisor and not to Claude, so that it outlives every turn.
    """

    def __init__(  # noqa: PLR0913 - what a dev server is made of
        self,
        plan: DevServerPlan,
        user: WorkspaceUser,
        work_tree: Path,
        address: ListenAddress,
        secrets: Mapping[str, SecretStr],
        *,
        notices: Notices,
        services: Mapping[str, str] | None = None,
    ) -> None:
        self._plan = plan
        self._user = user
        self._work_tree = work_tree
        self._address = address
        port = plan.port or address.port
        host = address.host if port == address.port else address.own_host
        self._port = {"HOST": host, "PORT": str(port)}
        self._secrets = {name: value.get_secret_value() for name, value in secrets.items()}
        self._mask = Mask(self._secrets.values())
        self._exposure = Exposure(
            address,
            user,
            port=plan.port or (None if plan.leaves_usual_port else port),
            leaves_port=plan.leaves_usual_port,
            health_path=plan.health_path,
            mask=self._mask,
        )
        self._services = services or {}
        self._command: WorkspaceCommand | None = None
        self._shown = KeptProcess(_NAME, self._start_shown, notices, self._exposure.follow)
        self._beside = [
            KeptProcess(_beside(process), partial(self._start_beside, process), notices) for process in plan.processes
        ]

    @property
    def second_port(self) -> int | None:
        """The port at which visitors reach it, where that isn't the task's first one."""
        port = self._exposure.address.port
        return port if port != self._address.port else None

    @property
    def url(self) -> str:
        """The dev server's address as seen from inside the task."""
        return self._exposure.address.url

    async def install(self, command: str | None = None, *, limit_seconds: float = 600) -> None:
        """Run `command`, else the install command, if there is one.

        Raises:
            InstallFailedError: it failed or took too long; `last_lines` says why.
        """
        command = command or self._plan.install
        while command and (failure := await self._run_once("install", command, limit_seconds)):
            command = installing_all_the_same(command, self.last_lines(_LINES_OF_A_FAILURE))
            if command is None:
                raise InstallFailedError(failure)
            logger.info("installed all the same", extra={"command": command})

    async def prepare(self, command: str, *, limit_seconds: float = 300) -> str:
        """Run a command that the dev server needs to have been run; return how it failed, nothing when all is well.

        That's no reason not to start the dev server: it may do without.
        """
        return await self._run_once("prepare", command, limit_seconds)

    async def keep_running(self) -> None:
        """Run the dev server until cancelled, and all that runs beside it; whatever dies is started again."""
        async with asyncio.TaskGroup() as tasks:
            for process in (self._shown, *self._beside):
                tasks.create_task(process.keep_running())

    async def restart(self) -> None:
        """End the dev server and what runs beside it, which start again at once; that's no death."""
        await asyncio.gather(*(process.restart() for process in (self._shown, *self._beside)))

    async def wait_until_ready(self, *, limit_seconds: float = 600) -> PageResponse:
        """Return what `health_path` responds with for visitors: a page at once, an error when it stands for seconds.

        Raises:
            DevServerNotReadyError: there was no response within `limit_seconds`, it died three times before one, or it
                ended under a program that waits for a change of its files; `last_lines` says why.
        """
        seen = ""
        try:
            async with asyncio.timeout(limit_seconds):
                pause, errs, ended = _FIRST_PROBE_PAUSE_SECONDS, _Since(), _Since()
                while (
                    self.deaths < _DEATHS_BEFORE_READY
                    and ended.seconds(is_so=self.awaits_a_change) < _END_STANDS_SECONDS
                ):
                    if not self._exposure.is_open:
                        await asyncio.sleep(_LOOK_SECONDS)
                        continue
                    try:
                        response = await self.probe()
                    except NoResponseError as error:
                        seen = f": {error}"
                        await self._exposure.reach_by_tls()
                    else:
                        if response.is_page or errs.seconds(is_so=True) >= _ERROR_STANDS_SECONDS:
                            return response
                    await asyncio.sleep(pause)
                    pause = min(pause * _PROBE_PAUSE_GROWTH, _LONGEST_PROBE_PAUSE_SECONDS)
            how_often = f" {self.deaths} times" if self.deaths else ""
            outcome = f"ended{how_often} before it responded"
        except TimeoutError:
            outcome = f"didn't respond within {limit_seconds:.0f} s ({self._exposure.state}{seen})"
        raise DevServerNotReadyError(
            f"{self._plan.in_words} {outcome} at {self.url}{self._plan.health_path}. {self._advice()}"
        )

    async def probe(self) -> PageResponse:
        """Return what `health_path` responds with for visitors now.

        Raises:
            NoResponseError: there is no response.
        """
        return await probe(self.url, self._plan.health_path, self._exposure.address.port, self._mask)

    async def listens(self) -> bool:
        """Say whether the dev server itself takes connections; no request is made, so its log stays as it is."""
        return await self._exposure.accepts()

    def reloads_pages(self) -> bool:
        """Say whether a program of its own reloads its pages in the browser."""
        return self._command is not None and reloads_pages(self._command.pid)

    @property
    def deaths(self) -> int:
        """How many times it has died, none of them after a minute or more of life."""
        return self._shown.deaths

    @property
    def awaits_a_change(self) -> bool:
        """Whether the app has ended, and what started it waits for another version of its files."""
        return not self._exposure.is_open and bool(_AWAITS_A_CHANGE.search(self._shown.last_lines(1)))

    @property
    def flaw(self) -> str:
        """Which process beside the shown one keeps dying, as a clause; nothing where all is well."""
        failing = next((process for process in self._beside if process.keeps_ending), None)
        if failing is None:
            return ""
        return f"the {failing.name} keeps ending: {remedy(failing.last_words) or failing.last_words.splitlines()[-1]}"

    def last_lines(self, count: int) -> str:
        """Return the last lines that install command or dev server wrote, whichever ran last, for a person to read.

        What runs beside it follows, with its share of the lines, under its name.
        """
        beside = [process for process in self._beside if self._command is self._shown.command and process.command]
        share = max(1, count // (len(beside) + 1) - 1) if beside else count
        lines = self._command.last_lines(share) if self._command else ""
        return "\n".join([lines, *(f"--- {process.name}\n{process.last_lines(share)}" for process in beside)])

    def output(self) -> tuple[LogSource, list[str]]:
        """Return whether install command or dev server ran last, and the last lines of this one alone."""
        if self._command is None:
            return "install", []
        return "dev_server" if self._command is self._shown.command else "install", self._command.lines

    def note(self, line: str) -> None:
        """Add a line of the supervisor's own to those of the command that runs: the dev server, or its installation."""
        if self._command:
            self._command.note(line)

    def _advice(self) -> str:
        lines = self._shown.last_lines(_LINES_READ)
        if self._address.is_on_shared_machine and _IN_USE.search(lines):
            return (
                "Local mode: another program on this machine, such as another session's dev server, already listens "
                "on its port. Sessions share the machine: have it listen on the address in $HOST alone."
            )
        if self.deaths or self.awaits_a_change:
            return remedy(lines) or "Its last lines say why."
        # What runs has said many a thing that it does without.
        return "It should listen on the address in $HOST and the port in $PORT."

    async def _run_once(self, name: str, command: str, limit_seconds: float) -> str:
        """Run a command to its end; return how it failed, in a sentence."""
        running = self._command = await self._start(name, command, Processes.INSTALL)
        try:
            async with asyncio.timeout(limit_seconds):
                status = await running.wait()
            outcome = f"ended with status {status}"
        except TimeoutError:
            status, outcome = -1, f"took longer than {limit_seconds:.0f} s"
        finally:
            await running.drain()
            await running.end()
        if status == 0:
            return ""
        return f"`{command}` {outcome}. {remedy(running.last_lines(_LINES_OF_A_FAILURE))}".rstrip()

    async def _start_shown(self) -> WorkspaceCommand:
        command = self._command = await self._start(_NAME, self._plan.dev, Processes.DEV_SERVER)
        return command

    async def _start_beside(self, process: Process) -> WorkspaceCommand:
        # Where the page expects it: on the machine's own address, as in development.
        port = {"HOST": "127.0.0.1", "PORT": str(process.port)} if process.port else {}
        return await self._start(_beside(process), process.command, Processes.DEV_SERVER, port)

    async def _start(
        self, name: str, command: str, processes: Processes, port: Mapping[str, str] | None = None
    ) -> WorkspaceCommand:
        """Start a command, with another host and port than the shown one's, if they are given, or with none."""
        environment = {**_hosts(self._address.domain), **self._services, **self._secrets, **self._user.environment()}
        return await WorkspaceCommand.start(
            name,
            command,
            user=self._user,
            directory=self._work_tree,
            processes=processes,
            environment={**environment, **(self._port if port is None else port)},
            hidden=self._secrets.values(),
        )


class _Since:
    """For how long something is so, without a break."""

    def __init__(self) -> None:
        self._begin: float | None = None

    def seconds(self, *, is_so: bool) -> float:
        """Return for how many seconds it is; 0 where it isn't."""
        now = asyncio.get_running_loop().time()
        if self._begin is None or not is_so:
            self._begin = now if is_so else None
        return now - self._begin if self._begin is not None else 0.0


def _beside(process: Process) -> str:
    return f"{_NAME} ({process.name})"

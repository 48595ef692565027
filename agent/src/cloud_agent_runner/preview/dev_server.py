"""The repository's dev server: installed, started, and restarted when it ends."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx

from cloud_agent_runner.preview.errors import PreviewError
from cloud_agent_runner.preview.port_forward import forwarded
from cloud_agent_runner.workspace.command import FLOODED, WorkspaceCommand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from cloud_agent_runner.notices import Notices
    from cloud_agent_runner.preview.listen_address import ListenAddress
    from cloud_agent_runner.preview.plan import DevServerPlan
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

_PROBE_PAUSE_SECONDS = 0.1
_PROBE_TIMEOUT_SECONDS = 10
_CONNECT_TIMEOUT_SECONDS = 2
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STEADY_AFTER_SECONDS = 60
_DEATHS_BEFORE_READY = 3


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
    ) -> None:
        self._plan = plan
        self._user = user
        self._work_tree = work_tree
        self._address = address
        self._own_port = plan.port if plan.port not in (None, address.port) else None
        listen = ("127.0.0.1", self._own_port) if self._own_port else (address.host, address.port)
        self._environment = {**user.environment(), "HOST": listen[0], "PORT": str(listen[1])}
        self._secrets = {name: value.get_secret_value() for name, value in secrets.items()}
        self._notices = notices
        self._command: WorkspaceCommand | None = None
        self._deaths = 0

    @property
    def port(self) -> int:
        """The port at the task's own address."""
        return self._address.port

    @property
    def url(self) -> str:
        """The dev server's address as seen from inside the task."""
        return self._address.url

    async def install(self, *, limit_seconds: float = 600) -> None:
        """Run the install command, if there is one.

        Raises:
            InstallFailedError: it failed or took too long; `last_lines` says why.
        """
        if self._plan.install is None:
            return
        command = self._command = await self._start("install", self._plan.install)
        try:
            async with asyncio.timeout(limit_seconds):
                status = await command.wait()
            outcome = f"ended with status {status}"
        except TimeoutError:
            status, outcome = -1, f"took longer than {limit_seconds:.0f} s"
        finally:
            await command.drain()
            await command.end()
        if status != 0:
            raise InstallFailedError(f"`{self._plan.install}` {outcome}.")

    async def keep_running(self) -> None:
        """Run the dev server until cancelled; when it dies, start it again, with growing pauses."""
        if self._own_port is None:
            await self._restart_forever()
            return
        async with forwarded(self._address.host, self._address.port, self._own_port):
            await self._restart_forever()

    async def wait_until_ready(self, *, limit_seconds: float = 600) -> None:
        """Return once `health_path` answers with a status below 500 at the task's own address.

        Raises:
            DevServerNotReadyError: it did not within `limit_seconds`, or died three times; `last_lines` says why.
        """
        seen = "nothing is listening"
        try:
            async with (
                asyncio.timeout(limit_seconds),
                httpx.AsyncClient(timeout=_PROBE_TIMEOUT_SECONDS, trust_env=False) as http,
            ):
                while self._deaths < _DEATHS_BEFORE_READY:
                    seen = await self._probe(http)
                    if not seen:
                        return
                    await asyncio.sleep(_PROBE_PAUSE_SECONDS)
            outcome = f"ended {self._deaths} times before it responded"
        except TimeoutError:
            outcome = f"didn't respond within {limit_seconds:.0f} s ({seen})"
        raise DevServerNotReadyError(
            f"`{self._plan.dev}` {outcome} at {self.url}{self._plan.health_path}. It should listen on the address in "
            "$HOST and the port in $PORT."
        )

    async def listens(self) -> bool:
        """Say whether the dev server itself takes connections; no request is made, so its log stays as it is."""
        host, port = ("localhost", self._own_port) if self._own_port else (self._address.reached_at, self.port)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
                _, writer = await asyncio.open_connection(host, port)
        except OSError:  # TimeoutError is one
            return False
        writer.close()
        return True

    @property
    def deaths(self) -> int:
        """How many times it has died, none of them after a minute or more of life."""
        return self._deaths

    def last_lines(self, count: int) -> str:
        """Return the last lines that install command or dev server wrote, whichever ran last, for a person to read."""
        return self._command.last_lines(count) if self._command else ""

    def note(self, line: str) -> None:
        """Add a line of the supervisor's own to those of the command that runs: the dev server, or its installation."""
        if self._command:
            self._command.note(line)

    async def _probe(self, http: httpx.AsyncClient) -> str:
        """Return what is wrong with the answer, or nothing when the server is up."""
        try:
            async with http.stream("GET", f"{self.url}{self._plan.health_path}") as response:
                return "" if not response.is_server_error else f"it responded with {response.status_code}"
        except httpx.TransportError as error:
            return f"last attempt: {type(error).__name__}"

    async def _start(self, name: str, command: str) -> WorkspaceCommand:
        return await WorkspaceCommand.start(
            name,
            command,
            user=self._user,
            directory=self._work_tree,
            environment={**self._secrets, **self._environment},
            hidden=self._secrets.values(),
        )

    async def _restart_forever(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            self._command = await self._start("dev server", self._plan.dev)
            try:
                status = await self._command.wait()
                await self._command.drain()
            finally:
                await self._command.end()
            if self._command.is_flood:
                self._notices.add(f"The dev server was stopped: {FLOODED}.")
            if clock() - started > _STEADY_AFTER_SECONDS:
                self._deaths, pause = 0, _FIRST_PAUSE_SECONDS
            self._deaths += 1
            logger.warning("dev server ended", extra={"status": status, "restart_in_seconds": pause})
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

"""Makes a dev server reachable at the task's own address and port, wherever it listens."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NoReturn

from cloud_agent_runner.preview.port_forward import forwarded
from cloud_agent_runner.preview.probe import NoResponseError, probe
from cloud_agent_runner.preview.tls import speaks_tls
from cloud_agent_runner.workspace.listening_sockets import ListeningSockets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent_runner.preview.listen_address import ListenAddress
    from cloud_agent_runner.preview.probe import PageResponse
    from cloud_agent_runner.workspace.command import WorkspaceCommand
    from cloud_agent_runner.workspace.command_output import Mask
    from cloud_agent_runner.workspace.listening_sockets import ListeningSocket
    from cloud_agent_runner.workspace.user import WorkspaceUser

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
_GROWTH = 1.5
_LOOK_SECONDS = 2.0  # which takes about 20 ms of a CPU
_CONNECT_TIMEOUT_SECONDS = 2.0
_TAKEN_AGAIN_SECONDS = 2.0
# What a debugger's port or one for WebSockets alone says to a browser (RFC 9110, 15.5.1 and 15.5.22).
_NO_PAGES = {400, 426}
_PAGE, _ERROR_PAGE, _NO_HTML, _NOTHING = range(4)
# By what a port shows, how long no other may come before it is taken for the one: an API is often up before its pages.
_SETTLING_SECONDS = (2.0, 10.0, 10.0, 30.0)
_URL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{2,5})\b")
_LINES_READ = 200


class Exposure:
    """Follows where a dev server listens, and forwards the task's address and port to it unless it listens there.

    Which port it is: the planned one, as soon as anything of the dev server's listens on it. Else, once some seconds
    have brought no other: the one that responds with a page, of several the one whose URL it has printed.
    """

    def __init__(  # noqa: PLR0913 - of each its own
        self,
        address: ListenAddress,
        user: WorkspaceUser,
        *,
        port: int | None,
        leaves_port: bool = False,
        health_path: str,
        mask: Mask,
    ) -> None:
        """`port` is the planned one; None where each server takes its own.

        `leaves_port` says that the address' first port isn't forwarded, as another program may be about to take it.
        """
        self._address = self.address = address
        """Where visitors reach it, while it's open: at the first port or at the second."""
        self._planned = self._ports = [port] if port else []
        self._leaves_port = leaves_port
        self._is_tls = False
        self._user = user
        self._health_path = health_path
        self._mask = mask
        self._target: ListeningSocket | None = None
        self._seen: frozenset[ListeningSocket] = frozenset()
        self._obstacle = ""

    @property
    def is_open(self) -> bool:
        """Whether what comes to the task's address gets to the dev server."""
        return self._target is not None

    @property
    def state(self) -> str:
        """Where the dev server listens, and what is in the way, as a clause."""
        ports = sorted({socket.port for socket in self._seen})
        if not ports:
            return "nothing of it listens on a port"
        listed = ", ".join(map(str, ports))
        listens = f"it listens on port {listed}" if len(ports) == 1 else f"it listens on the ports {listed}"
        return f"{listens}{self._obstacle}"

    async def accepts(self) -> bool:
        """Say whether the dev server itself takes connections; no request is made, so its log stays as it is."""
        return self._target is not None and await _accepts(self._target.host, self._target.port)

    async def reach_by_tls(self) -> None:
        """Have what takes only TLS where visitors reach it as it is forwarded to instead, from the second port."""
        address = self.address
        if address == self._address and not self._is_tls:
            self._is_tls = await speaks_tls(address.reached_at, address.port)

    async def follow(self, command: WorkspaceCommand) -> NoReturn:
        """Keep the dev server that `command` runs reachable, until cancelled."""
        sockets = ListeningSockets(self._user, command.pid)
        while True:
            target = await self._find(sockets, command)
            async with AsyncExitStack() as stack:
                try:
                    await self._reach(target, stack)
                except OSError:
                    self._obstacle = f", and another program on port {self.address.port}, where the preview would be"
                    await asyncio.sleep(_TAKEN_AGAIN_SECONDS)
                    continue
                if self.address != self._address:
                    left = f"port {self._address.port} is left to another server of the repository"
                    left = "it takes only HTTPS" if self._is_tls else left
                    command.note(f"(The preview is at port {self.address.port}, and shows port {target.port}: {left}.)")
                self._ports = [*self._planned, target.port]  # where it will be again after a restart of its own
                await self._stay(target, sockets)

    async def _reach(self, target: ListeningSocket, stack: AsyncExitStack) -> None:
        """Forward to `target` until `stack` is left, unless visitors reach it as it is.

        Raises:
            OSError: the task's address and port are another program's.
        """
        address = self.address = self._address
        is_here = target.port == address.port and (
            target.address.is_unspecified or str(target.address) == address.reached_at
        )
        # (`::` does not always take IPv4, too)
        if is_here and not self._is_tls and await _accepts(address.reached_at, address.port):
            return
        if self._leaves_port or self._is_tls:
            address = self.address = address.at_second_port
        # In a container also at `localhost`, where Claude's browser looks, unless the dev server itself is there.
        host = address.reached_at if target.port == address.port else address.host
        await stack.enter_async_context(forwarded(host, address.port, target.host, target.port))

    async def _stay(self, target: ListeningSocket, sockets: ListeningSockets) -> None:
        """Return once nobody listens there any more, or visitors have to reach it otherwise."""
        was_tls = self._is_tls
        logger.info("dev server listens", extra={"address": str(target.address), "port": target.port})
        self._target, self._obstacle = target, ""
        try:
            while self._is_tls == was_tls and await sockets.has(target):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self._target = None

    async def _find(self, sockets: ListeningSockets, command: WorkspaceCommand) -> ListeningSocket:
        """Return the socket that pages come from, once there is one."""
        clock = asyncio.get_running_loop().time
        pause, changed_at = _FIRST_PAUSE_SECONDS, clock()
        self._seen = frozenset()
        while True:
            seen = await sockets.look()
            if seen != self._seen:
                self._seen, changed_at, pause = seen, clock(), _FIRST_PAUSE_SECONDS
            for port in self._ports:
                if found := [socket for socket in seen if socket.port == port]:
                    return min(found, key=self._preference)
            if seen and clock() - changed_at >= min(_SETTLING_SECONDS):
                best, rank = await self._best(seen, command)
                if clock() - changed_at >= _SETTLING_SECONDS[rank]:
                    return best
            await asyncio.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)

    def _preference(self, socket: ListeningSocket) -> tuple[bool, bool, int]:
        """Sort sockets of one port: first what visitors reach as it is."""
        address = socket.address
        return str(address) != self._address.reached_at, not address.is_unspecified, address.version

    async def _best(self, seen: Iterable[ListeningSocket], command: WorkspaceCommand) -> tuple[ListeningSocket, int]:
        """Return the socket that most likely shows pages, and how likely that is."""
        printed = {int(port) for port in _URL.findall(command.last_lines(_LINES_READ))}
        by_port = {socket.port: socket for socket in sorted(seen, key=self._preference, reverse=True)}
        ranks = [(await self._rank(socket), port not in printed, port) for port, socket in by_port.items()]
        rank, _, port = min(ranks)
        return by_port[port], rank

    async def _rank(self, socket: ListeningSocket) -> int:
        try:
            response = await self._response(socket.url)
        except NoResponseError:
            return _NOTHING
        if response.status in _NO_PAGES:
            return _NOTHING
        if not response.is_html:
            return _NO_HTML
        return _PAGE if response.is_page else _ERROR_PAGE

    async def _response(self, url: str) -> PageResponse:
        """Return what there is at a socket's address, over TLS where there is nothing without."""
        try:
            return await probe(url, self._health_path, self._address.port, self._mask)
        except NoResponseError:
            return await probe(f"https{url.removeprefix('http')}", self._health_path, self._address.port, self._mask)


async def _accepts(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True

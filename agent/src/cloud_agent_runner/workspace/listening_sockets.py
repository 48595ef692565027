"""Where a command listens: the TCP sockets of all that it has started."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from cloud_agent_runner.workspace import socket_inodes
from cloud_agent_runner.workspace.ended import ended
from cloud_agent_runner.workspace.small_program import small_program

if TYPE_CHECKING:
    from cloud_agent_runner.workspace.user import WorkspaceUser

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTEN = "0A"  # TCP_LISTEN of the kernel's net/tcp_states.h
_PROGRAM_SECONDS = 10
_AGAIN_SECONDS = 5.0
_OUTPUT_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ListeningSocket:
    """An address and port where somebody takes connections."""

    address: IPv4Address | IPv6Address
    port: int

    @property
    def host(self) -> str:
        """What to connect to from this machine."""
        if not self.address.is_unspecified:
            return str(self.address)
        return "127.0.0.1" if self.address.version == 4 else "localhost"  # noqa: PLR2004 - of IP; `::` may be both

    @property
    def url(self) -> str:
        """Its address, were it an HTTP server's."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@dataclass(frozen=True)
class _Row:
    """A row of the kernel's tables that is a listening socket."""

    socket: ListeningSocket
    uid: int
    inode: str


class ListeningSockets:
    """The listening sockets of one command of the workspace's user, and of all that it has started.

    Which sockets there are, and whose user's, is the kernel's word. Which processes have them open can only be seen as
    that user, so a program that runs as `workspace` says so: by lying it could name no socket but its own user's.
    """

    def __init__(self, user: WorkspaceUser, pid: int) -> None:
        """`pid` is the command's reaper."""
        self._user = user
        self._pid = pid
        self._uid = os.getuid() if user.owner is None else int(user.owner.partition(":")[0])
        self._rows: frozenset[_Row] = frozenset()
        self._asked_at = -_AGAIN_SECONDS
        self._sockets: frozenset[ListeningSocket] = frozenset()

    async def look(self) -> frozenset[ListeningSocket]:
        """Return those that there are now.

        While no socket of the user's comes or goes, only the kernel's tables are read, and a program is started every
        few seconds: a process may have begun while it looked.
        """
        if sys.platform != "linux":
            return _by_psutil(self._pid)
        rows, now = await self._listed(), time.monotonic()
        if rows != self._rows or (rows and now - self._asked_at >= _AGAIN_SECONDS):
            with suppress(OSError):  # TimeoutError is one
                inodes = await self._inodes()
                self._sockets = frozenset(row.socket for row in rows if row.inode in inodes)
                self._rows, self._asked_at = rows, now
        return self._sockets

    async def has(self, socket: ListeningSocket) -> bool:
        """Say whether a socket that was found is still there. No program is started for that."""
        if sys.platform != "linux":
            return socket in _by_psutil(self._pid)
        return any(row.socket == socket for row in await self._listed())

    async def _listed(self) -> frozenset[_Row]:
        """Return the user's, in a thread: the kernel looks at each place there is for a connection, for some 20 ms."""
        return frozenset(row for row in await asyncio.to_thread(_rows) if row.uid == self._uid)

    async def _inodes(self) -> set[str]:
        """Return the inodes of the sockets that the command's processes have open.

        Raises:
            OSError: the program didn't start or end.
        """
        program = [*small_program(socket_inodes), *(str(process.pid) for process in _below(self._pid))]
        started = await asyncio.create_subprocess_exec(
            *self._user.command("", *program, directory=Path("/")),
            env={},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with ended(started) as process, asyncio.timeout(_PROGRAM_SECONDS):
            return set((await _read(process.stdout)).decode("ascii", "replace").split())


async def _read(output: asyncio.StreamReader | None) -> bytes:
    """Return what the program writes, as far as it is likely to be its own words."""
    read = b""
    while output and len(read) < _OUTPUT_LIMIT_BYTES and (chunk := await output.read(_OUTPUT_LIMIT_BYTES)):
        read += chunk
    return read


def _rows() -> list[_Row]:
    rows = []
    for table in _TABLES:
        with suppress(OSError):  # a machine without IPv6
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                _, local, _, state, _, _, _, uid, _, inode, *_ = line.split()  # man 5 proc_net
                if state == _LISTEN:
                    address, port = local.split(":")
                    rows.append(_Row(ListeningSocket(_address(address), int(port, 16)), int(uid), inode))
    return rows


def _address(text: str) -> IPv4Address | IPv6Address:
    """Return the address that is written as numbers of four bytes each, in the machine's own order."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    address = ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words))
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _below(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _by_psutil(pid: int) -> frozenset[ListeningSocket]:
    """Return what a process may see of its own user's, where there is no /proc."""
    found = set()
    for process in _below(pid):
        with suppress(psutil.Error):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    address, port = connection.laddr
                    found.add(ListeningSocket(ip_address("::" if address == "*" else address), port))
    return frozenset(found)

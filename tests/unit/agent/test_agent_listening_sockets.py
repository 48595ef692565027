"""Which ports a command listens on is read from the kernel, for real processes."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.kit.other_users import others_reach

from cloud_agent_runner.workspace import socket_inodes
from cloud_agent_runner.workspace.command import WorkspaceCommand
from cloud_agent_runner.workspace.listening_sockets import ListeningSocket, ListeningSockets
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
PYTHON = "/usr/bin/python3"  # which, unlike that of a checkout, anybody may run
ANOTHER_USER = pytest.mark.skipif(
    os.getuid() != 0 or not Path(PYTHON).exists() or not others_reach(__file__),
    reason="only root may become another user, who needs a Python and this checkout, too",
)
SOMEBODY = "65533:65533"  # who has no other process
LISTEN = (
    "import socket, sys, time\n"
    "sockets = [socket.create_server((host, 0), family=socket.AF_INET6 if ':' in host else socket.AF_INET)"
    " for host in sys.argv[1:]]\n"
    "print(*(s.getsockname()[1] for s in sockets), flush=True)\n"
    "time.sleep(60)"
)


@asynccontextmanager
async def _listening(
    folder: Path, *hosts: str, owner: str | None = None
) -> AsyncIterator[tuple[ListeningSockets, list[int]]]:
    """Run a command whose grandchild listens on a port of each host."""
    user = WorkspaceUser(folder, owner)
    program = f'setsid python3 -c "$PROGRAM" {" ".join(hosts)} & wait'
    environment = {"PATH": os.environ["PATH"], "PROGRAM": LISTEN}
    command = await WorkspaceCommand.start("test", program, user=user, directory=folder, environment=environment)
    try:
        async with asyncio.timeout(20):
            while not (ports := command.last_lines(1)).replace(" ", "").isdigit():  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
        yield ListeningSockets(user, command.pid), [int(port) for port in ports.split()]
    finally:
        await command.end()


def _socket(host: str, port: int) -> ListeningSocket:
    return ListeningSocket(ip_address(host), port)


@dataclass(frozen=True)
class _Liar(WorkspaceUser):
    """A user whose programs say that they have the socket of this inode open."""

    inode: int

    def command(self, *_: object, **__: object) -> list[str]:
        return ["/bin/sh", "-c", f"echo {self.inode}"]


async def test_a_command_listens_where_its_grandchild_does_and_nowhere_else(tmp_path: Path) -> None:
    hosts = ("127.0.0.1", "0.0.0.0", "::1", "127.0.44.9")  # noqa: S104 - loopback would not tell
    with socket.create_server(("127.0.0.1", 0)):
        async with _listening(tmp_path, *hosts) as (sockets, ports):
            assert {_socket(*one) for one in zip(hosts, ports, strict=True)} == await sockets.look()


async def test_a_socket_that_comes_or_goes_is_seen(tmp_path: Path) -> None:
    async with _listening(tmp_path, "127.0.0.1") as (sockets, ports):
        assert await sockets.look() == {_socket("127.0.0.1", ports[0])}
    assert await sockets.look() == frozenset()


@LINUX
async def test_nobody_is_asked_while_no_socket_comes_or_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = ListeningSockets(WorkspaceUser(tmp_path, SOMEBODY), os.getpid())
    await sockets.look()
    monkeypatch.setattr(asyncio, "create_subprocess_exec", None)
    assert await sockets.look() == frozenset()


@ANOTHER_USER
async def test_the_sockets_of_another_users_command_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", PYTHON)
    async with _listening(Path("/"), "127.0.0.1", owner=SOMEBODY) as (sockets, ports):
        assert await sockets.look() == {_socket("127.0.0.1", ports[0])}


@ANOTHER_USER
async def test_a_program_of_the_users_that_lies_names_no_socket_but_its_users() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        inode = os.fstat(ours.fileno()).st_ino
        user = _Liar(Path("/"), SOMEBODY, inode)
        assert await ListeningSockets(user, os.getpid()).look() == frozenset()
        assert {_socket("127.0.0.1", ours.getsockname()[1])} == await ListeningSockets(
            replace(user, owner=None), 1
        ).look()


async def test_without_proc_the_same_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _listening(tmp_path, "127.0.0.1", "::1") as (sockets, ports):
        monkeypatch.setattr(sys, "platform", "darwin")
        assert await sockets.look() == {_socket("127.0.0.1", ports[0]), _socket("::1", ports[1])}


def test_processes_that_are_gone_or_anothers_have_no_sockets(capsys: pytest.CaptureFixture[str]) -> None:
    socket_inodes.main(["999999999"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("address", "host"),
    [("0.0.0.0", "127.0.0.1"), ("::", "localhost"), ("::1", "::1"), ("10.0.2.133", "10.0.2.133")],  # noqa: S104 - as it is listed
)
def test_every_address_has_a_host_to_connect_to(address: str, host: str) -> None:
    assert _socket(address, 3000).host == host

"""A dev server is reached at the task's own address, wherever its processes listen."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.kit.ports import free_port

from cloud_agent_runner.preview import exposure as exposure_module
from cloud_agent_runner.preview.exposure import Exposure
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.workspace.command import WorkspaceCommand
from cloud_agent_runner.workspace.command_output import Mask
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

# What a dev server's processes do, by their arguments: HOST PORT STATUS TYPE TEXT [SECONDS TO WAIT BEFORE]
SERVER = """
import http.server, socket, sys, time
host, port, status, kind, text, *delay = sys.argv[1:]
time.sleep(float((delay or [0])[0]))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(status))
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
Server((host, int(port)), Handler).serve_forever()
"""


class Preview:
    """A dev server that is meant to listen on `address`, and the page that visitors get there."""

    def __init__(self, exposure: Exposure, address: ListenAddress) -> None:
        self.exposure = exposure
        self._address = address

    async def until_open(self) -> str:
        async with asyncio.timeout(20):
            while not self.exposure.is_open:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
        return await self.page()

    async def page(self) -> str:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"http://{self._address.reached_at}:{self._address.port}")).text


@asynccontextmanager
async def _preview(folder: Path, *processes: str, address: ListenAddress | None = None) -> AsyncIterator[Preview]:
    """Run processes, each with the arguments of `SERVER`, as one dev server."""
    address = address or ListenAddress("127.0.44.78", "127.0.44.78", free_port())
    user = WorkspaceUser(folder, None)
    script = "".join(f'{sys.executable} -c "$SERVER" {process} & ' for process in processes) + "wait"
    environment = {"PATH": os.environ["PATH"], "SERVER": SERVER, "PORT": str(address.port)}
    command = await WorkspaceCommand.start("test", script, user=user, directory=folder, environment=environment)
    exposure = Exposure(address, user, port=address.port, health_path="/", mask=Mask([]))
    following = asyncio.create_task(exposure.follow(command))
    try:
        yield Preview(exposure, address)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await command.end()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure_module, "_SETTLING_SECONDS", (0.2, 15.0, 15.0, 15.0))
    monkeypatch.setattr(exposure_module, "_LONGEST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(exposure_module, "_LOOK_SECONDS", 0.1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.0.44.78", "0.0.0.0", "::"])  # noqa: S104 - what servers bind
async def test_a_server_on_the_planned_port_is_reached_whatever_it_binds(tmp_path: Path, host: str) -> None:
    async with _preview(tmp_path, f'{host} "$PORT" 200 text/html hello') as preview:
        assert await preview.until_open() == "hello"
        assert await preview.exposure.accepts()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])  # noqa: S104 - what servers bind
async def test_a_server_with_a_port_of_its_own_is_found_and_forwarded(tmp_path: Path, host: str) -> None:
    async with _preview(tmp_path, f"{host} {free_port()} 200 text/html hello") as preview:
        assert await preview.until_open() == "hello"


async def test_of_several_ports_the_planned_one_is_shown(tmp_path: Path) -> None:
    pages = f"127.0.0.1 {free_port()} 200 text/html pages"
    async with _preview(tmp_path, pages, '127.0.0.1 "$PORT" 200 text/html planned') as preview:
        assert await preview.until_open() == "planned"


async def test_of_several_other_ports_the_one_with_a_page_is_shown(tmp_path: Path) -> None:
    api, debugger = (
        f"127.0.0.1 {free_port()} 200 application/json api",
        f"127.0.0.1 {free_port()} 400 text/html debugger",
    )
    web = f"127.0.0.1 {free_port()} 200 text/html web 0.5"
    async with _preview(tmp_path, api, debugger, web) as preview:
        assert await preview.until_open() == "web"


async def test_of_two_pages_the_one_whose_address_was_printed_is_shown(tmp_path: Path) -> None:
    one, other = sorted([free_port(), free_port()])
    printed = f"& echo '  Local: \x1b[36mhttp://localhost:\x1b[1m{other}\x1b[22m/\x1b[39m'"
    pages = (f"127.0.0.1 {one} 200 text/html one", f"127.0.0.1 {other} 200 text/html other {printed}")
    async with _preview(tmp_path, *pages) as preview:
        assert await preview.until_open() == "other"


async def test_an_error_page_on_a_port_of_its_own_is_shown_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposure_module, "_SETTLING_SECONDS", (0.2, 0.4, 15.0, 15.0))
    async with _preview(tmp_path, f"127.0.0.1 {free_port()} 500 text/html broken") as preview:
        assert await preview.until_open() == "broken"


async def test_a_debuggers_port_is_not_taken_for_an_error_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure_module, "_SETTLING_SECONDS", (0.2, 0.4, 15.0, 15.0))
    lower, higher = sorted([free_port(), free_port()])
    both = (f"127.0.0.1 {lower} 400 text/html debugger", f"127.0.0.1 {higher} 500 text/html broken")
    async with _preview(tmp_path, *both) as preview:
        assert await preview.until_open() == "broken"


async def test_what_stops_listening_is_looked_for_again(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    until = f"until test -e {stop}; do sleep 0.1; done; kill $!"
    moved = f'{until}; {sys.executable} -c "$SERVER" 127.0.0.1 {free_port()} 200 text/html second'
    async with _preview(tmp_path, f"127.0.0.1 {free_port()} 200 text/html first & {moved}") as preview:
        assert await preview.until_open() == "first"
        stop.touch()
        async with asyncio.timeout(20):
            while preview.exposure.is_open:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
        assert await preview.until_open() == "second"


async def test_a_taken_address_is_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure_module, "_TAKEN_AGAIN_SECONDS", 0.1)
    address = ListenAddress("127.0.44.78", "127.0.44.78", free_port())
    own = free_port()
    another = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.44.78", address.port)
    async with _preview(tmp_path, f"127.0.0.1 {own} 200 text/html hello", address=address) as preview:
        said = f"it listens on port {own}, and another program on port {address.port}, where the preview would be"
        async with asyncio.timeout(20):
            while preview.exposure.state != said:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
        assert not preview.exposure.is_open
        another.close()
        assert await preview.until_open() == "hello"


async def test_another_programs_server_is_never_shown(tmp_path: Path) -> None:
    address = ListenAddress("127.0.44.78", "127.0.44.78", free_port())
    another = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.44.78", address.port)
    async with another, _preview(tmp_path, address=address) as preview:
        await asyncio.sleep(0.5)
        assert (preview.exposure.is_open, preview.exposure.state) == (False, "nothing of it listens on a port")

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.own_certificate import own_certificate
from tests.kit.ports import free_port

from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview import dev_server as dev_server_module
from cloud_agent_runner.preview.dev_server import DevServer, DevServerNotReadyError, InstallFailedError
from cloud_agent_runner.preview.listen_address import ListenAddress, listen_address
from cloud_agent_runner.preview.plan import DevServerPlan
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SERVER = f"exec {sys.executable} -u -m http.server"


def _dev_server(plan: DevServerPlan, folder: Path) -> DevServer:
    address = ListenAddress("127.0.0.1", "127.0.0.1", free_port(), second_port=free_port())
    return DevServer(plan, WorkspaceUser(folder, None), folder, address, {}, notices=Notices())


@contextlib.asynccontextmanager
async def _running(dev_server: DevServer) -> AsyncIterator[None]:
    task = asyncio.create_task(dev_server.keep_running())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_server_that_follows_host_and_port_is_ready_where_the_proxy_looks(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("hello")
    plan = DevServerPlan(dev=f'{SERVER} --bind "$HOST" "$PORT"', health_path="/hello.txt")
    dev_server = _dev_server(plan, tmp_path)
    async with _running(dev_server), httpx.AsyncClient() as http:
        await dev_server.wait_until_ready(limit_seconds=20)
        assert (await http.get(f"{dev_server.url}/hello.txt")).text == "hello"


async def test_a_server_with_a_port_of_its_own_is_reached_through_the_usual_one(tmp_path: Path) -> None:
    own_port = free_port()
    plan = DevServerPlan(dev=f"{SERVER} --bind 127.0.0.1 {own_port}", port=own_port)
    dev_server = _dev_server(plan, tmp_path)
    async with _running(dev_server), httpx.AsyncClient() as http:
        await dev_server.wait_until_ready(limit_seconds=20)
        assert (await http.get(dev_server.url)).status_code == 200


async def test_a_server_that_never_answers_is_given_up_with_its_last_lines(tmp_path: Path) -> None:
    chatter = "for i in $(seq 30); do echo line $i; done; exec sleep 60"
    dev_server = _dev_server(DevServerPlan(dev=chatter), tmp_path)
    async with _running(dev_server):
        with pytest.raises(DevServerNotReadyError) as error:
            await dev_server.wait_until_ready(limit_seconds=1)
    assert [f"line {number}" for number in range(11, 31)] == dev_server.last_lines(20).splitlines()
    assert "didn't respond within 1 s (nothing of it listens on a port)" in str(error.value)


async def test_an_error_that_stands_is_the_answer_and_costs_few_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev_server_module, "_ERROR_STANDS_SECONDS", 0.5)
    (tmp_path / "broken.py").write_text(
        "import http.server as s, os\n"
        "class H(s.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_error(500, 'no such table: post')\n"
        "s.HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()\n"
    )
    dev_server = _dev_server(DevServerPlan(dev=f"exec {sys.executable} -u broken.py"), tmp_path)
    async with _running(dev_server):
        answer = await dev_server.wait_until_ready(limit_seconds=20)
        assert (answer.status, answer.is_page) == (500, False)
        assert "no such table: post" in answer.excerpt
        assert 2 <= dev_server.last_lines(50).count('"GET / ') <= 8


ENDED = (
    "[nodemon] app crashed - waiting for file changes before starting...",
    "[nodemon] clean exit - waiting for changes before restart",
    "Failed running 'app.js'",
    "[api] Failed running 'server.js'. Waiting for file changes before restarting...",
    "Watcher Process failed. Restarting on file change...",
)


@pytest.mark.parametrize("last", ENDED)
async def test_an_app_that_has_ended_under_what_watches_its_files_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    monkeypatch.setattr(dev_server_module, "_END_STANDS_SECONDS", 0.5)
    failure = "MongooseServerSelectionError: connect ECONNREFUSED 127.0.0.1:27017"
    (tmp_path / "says").write_text(f"{failure}\n{last}\n")
    dev_server = _dev_server(DevServerPlan(dev="cat says; exec sleep 60"), tmp_path)
    async with _running(dev_server):
        with pytest.raises(DevServerNotReadyError) as error:
            await dev_server.wait_until_ready(limit_seconds=20)
    assert "ended before it responded" in str(error.value)
    assert "MongoDB isn't among the `services`" in str(error.value)


async def test_an_app_that_is_started_again_at_once_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev_server_module, "_END_STANDS_SECONDS", 0.5)
    (tmp_path / "says").write_text(f"{ENDED[0]}\n")
    starts = f'cat says; sleep 0.2; echo starting; sleep 0.6; {SERVER} --bind "$HOST" "$PORT"'
    dev_server = _dev_server(DevServerPlan(dev=starts), tmp_path)
    async with _running(dev_server):
        assert (await dev_server.wait_until_ready(limit_seconds=20)).status == 200


async def test_an_error_that_passes_is_waited_out(tmp_path: Path) -> None:
    (tmp_path / "starting.py").write_text(
        "import http.server as s, os\n"
        "class H(s.BaseHTTPRequestHandler):\n"
        "    asked = 0\n"
        "    def do_GET(self):\n"
        "        H.asked += 1\n"
        "        self.send_error(503) if H.asked < 3 else self.send_error(200)\n"
        "s.HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()\n"
    )
    dev_server = _dev_server(DevServerPlan(dev=f"exec {sys.executable} starting.py"), tmp_path)
    async with _running(dev_server):
        assert (await dev_server.wait_until_ready(limit_seconds=20)).status == 200


async def test_a_restart_shows_what_has_changed_and_is_no_death(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = tmp_path / "page.py"
    page.write_text("TEXT = 'before'")
    (tmp_path / "server.py").write_text(
        "import http.server as s, os, page\n"
        "class H(s.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200, page.TEXT); self.end_headers()\n"
        "s.HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()\n"
    )
    dev_server = _dev_server(DevServerPlan(dev=f"exec {sys.executable} -B server.py"), tmp_path)
    async with _running(dev_server), httpx.AsyncClient() as http:
        await dev_server.wait_until_ready(limit_seconds=20)
        page.write_text("TEXT = 'after'")
        assert (await http.get(dev_server.url)).reason_phrase == "before"

        await dev_server.restart()
        await dev_server.wait_until_ready(limit_seconds=20)

        assert (await http.get(dev_server.url)).reason_phrase == "after"
    assert "dev server ended" not in caplog.messages


HTTPS = """
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@pytest.mark.parametrize("port", ["own", "planned"])
async def test_a_server_that_takes_only_https_is_shown(tmp_path: Path, port: str) -> None:
    own_certificate(tmp_path)
    (tmp_path / "server.py").write_text(HTTPS)
    own = str(free_port()) if port == "own" else '"$PORT"'
    dev_server = _dev_server(DevServerPlan(dev=f"exec {sys.executable} server.py {own}"), tmp_path)
    async with _running(dev_server), httpx.AsyncClient() as http:
        assert (await dev_server.wait_until_ready(limit_seconds=20)).is_page
        assert (dev_server.second_port is None) == (port == "own")
        assert (await http.get(f"{dev_server.url}/server.py")).text == HTTPS


async def test_a_server_that_ends_is_not_told_where_to_listen(tmp_path: Path) -> None:
    dev_server = _dev_server(DevServerPlan(dev="echo no cook today; exit 3"), tmp_path)
    async with _running(dev_server):
        with pytest.raises(DevServerNotReadyError, match=r"ended 3 times before .*/\. Its last lines say why\.$"):
            await dev_server.wait_until_ready(limit_seconds=20)


async def test_another_sessions_server_on_every_address_is_named_in_local_mode(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as another:  # noqa: S104 - as the other does
        address = ListenAddress("127.0.44.77", "127.0.44.77", another.getsockname()[1])
        plan = DevServerPlan(dev=f'{SERVER} --bind "$HOST" "$PORT"')
        dev_server = DevServer(plan, WorkspaceUser(tmp_path, None), tmp_path, address, {}, notices=Notices())
        async with _running(dev_server):
            with pytest.raises(DevServerNotReadyError, match="Local mode: another program on this machine"):
                await dev_server.wait_until_ready(limit_seconds=20)


async def test_an_install_that_fails_is_told_with_its_last_lines(tmp_path: Path) -> None:
    dev_server = _dev_server(DevServerPlan(install="echo no such package; exit 4", dev="true"), tmp_path)
    with pytest.raises(InstallFailedError, match=r"exit 4` ended with status 4\.$"):
        await dev_server.install()
    assert dev_server.last_lines(20) == "no such package"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("true a\0b", "contains a NUL character or isn't valid Unicode"),
        ("true \ud800", "contains a NUL character or isn't valid Unicode"),
        (f"true {'a' * 200_000}", "are too long"),
    ],
)
async def test_a_command_that_no_process_can_be_given_fails_as_others_do(
    tmp_path: Path, command: str, reason: str
) -> None:
    dev_server = _dev_server(DevServerPlan(install=command, dev=command), tmp_path)
    with pytest.raises(InstallFailedError, match=r"ended with status 126\."):
        await dev_server.install()
    assert reason in dev_server.last_lines(20)
    async with _running(dev_server):
        with pytest.raises(DevServerNotReadyError, match="ended 3 times"):
            await dev_server.wait_until_ready(limit_seconds=20)


async def test_what_an_install_lacks_is_told_with_the_one_thing_to_do(tmp_path: Path) -> None:
    plan = DevServerPlan(install="echo Error: pg_config executable not found.; seq 60; exit 1", dev="true")
    with pytest.raises(InstallFailedError, match=r"ended with status 1\. Debian's `libpq-dev` is missing"):
        await _dev_server(plan, tmp_path).install()


PEERS, LOCK = "npm error code ERESOLVE", "npm error `npm ci` can only install packages when"


@pytest.mark.parametrize(
    ("install", "refusals", "ran"),
    [
        ("npm ci", [PEERS], ["npm ci", "npm ci --legacy-peer-deps"]),
        ("cd . && npm i -D", [PEERS], ["npm i -D", "npm i --legacy-peer-deps -D"]),
        ("npm ci", [LOCK, PEERS], ["npm ci", "npm install --no-save", "npm install --legacy-peer-deps --no-save"]),
        ("npm ci --legacy-peer-deps && pnpm install", [], ["npm ci --legacy-peer-deps", "pnpm install"]),
        (
            "yarn install --frozen-lockfile",
            ["error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`."],
            ["yarn install --frozen-lockfile", "yarn install --pure-lockfile"],
        ),
        (
            "pnpm install --frozen-lockfile --config.strict-dep-builds=false",
            ["ERR_PNPM_OUTDATED_LOCKFILE  Cannot install"],
            [
                "pnpm install --frozen-lockfile --config.strict-dep-builds=false",
                "pnpm install --no-lockfile --config.strict-dep-builds=false",
            ],
        ),
        (
            "bun install --frozen-lockfile",
            ["error: lockfile had changes, but lockfile is frozen"],
            ["bun install --frozen-lockfile", "bun install --no-save"],
        ),
    ],
)
async def test_what_a_package_manager_refuses_is_installed_all_the_same(
    tmp_path: Path, install: str, refusals: list[str], ran: list[str]
) -> None:
    _have_package_managers(tmp_path, refusals)
    await _dev_server(DevServerPlan(install=install, dev="true"), tmp_path).install()
    assert (tmp_path / "ran").read_text().splitlines() == ran


@pytest.mark.parametrize("refusals", [["npm error code E401"], [PEERS, PEERS]])
async def test_an_install_fails_once_nothing_else_can_be_tried(tmp_path: Path, refusals: list[str]) -> None:
    _have_package_managers(tmp_path, refusals)
    with pytest.raises(InstallFailedError):
        await _dev_server(DevServerPlan(install="npm ci", dev="true"), tmp_path).install()
    assert len((tmp_path / "ran").read_text().splitlines()) == len(refusals)


def _have_package_managers(home: Path, refusals: list[str]) -> None:
    """Have programs that refuse what they're called for in these words, one after the other, and then do it."""
    folder = home / ".local/bin"
    folder.mkdir(parents=True)
    for number, words in enumerate(refusals):
        (home / f"refusal.{number}").write_text(words)
    for name in ("npm", "yarn", "pnpm", "bun"):
        (folder / name).write_text(
            "#!/bin/sh\n"
            f'echo {name} "$*" >> "$HOME/ran"\n'
            'for words in "$HOME"/refusal.*; do [ -e "$words" ] && cat "$words" && rm "$words" && exit 1; done\n'
            "exit 0\n"
        )
        (folder / name).chmod(0o755)


async def test_an_install_that_hangs_is_ended(tmp_path: Path) -> None:
    dev_server = _dev_server(DevServerPlan(install="echo waiting; sleep 60", dev="true"), tmp_path)
    with pytest.raises(InstallFailedError, match=r"took longer than 1 s\.$"):
        await dev_server.install(limit_seconds=1)
    assert dev_server.last_lines(20) == "waiting"


async def test_dev_servers_are_told_the_sessions_domain_or_to_take_any(tmp_path: Path) -> None:
    address = ListenAddress("127.0.0.1", "127.0.0.1", free_port(), "uat.example.com")
    names = ["RAILS_DEVELOPMENT_HOSTS", "__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS"]
    names += ["DANGEROUSLY_DISABLE_HOST_CHECK", "WDS_SOCKET_PORT"]
    shown = "echo " + " ".join(f'"${name}"' for name in names)
    user = WorkspaceUser(tmp_path, None)
    dev_server = DevServer(DevServerPlan(install=shown, dev="true"), user, tmp_path, address, {}, notices=Notices())
    await dev_server.install()
    assert dev_server.last_lines(1) == ".uat.example.com .uat.example.com true 0"


async def test_without_metadata_every_interface_is_listened_on() -> None:
    assert ListenAddress("0.0.0.0", "127.0.0.1", 3000) == await listen_address(None)  # noqa: S104 - the expectation


async def test_secrets_reach_install_and_dev_server_and_are_hidden_in_what_they_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    plan = DevServerPlan(
        install='echo "$KEY" > got.txt; echo "$PORT" > port.txt; echo "key=$KEY pin=$PIN"; exit 3', dev="true"
    )
    address = ListenAddress("127.0.0.1", "127.0.0.1", free_port())
    secrets = {"KEY": SecretStr("first-line\nsecond-line"), "PIN": SecretStr("12"), "PORT": SecretStr("9")}
    dev_server = DevServer(plan, WorkspaceUser(tmp_path, None), tmp_path, address, secrets, notices=Notices())
    with pytest.raises(InstallFailedError):
        await dev_server.install()
    assert (tmp_path / "got.txt").read_text() == "first-line\nsecond-line\n"
    assert f"{address.port}\n" == (tmp_path / "port.txt").read_text()
    assert dev_server.last_lines(20) == "key=***\n*** pin=12"
    shown = [str(vars(record)) for record in caplog.records]
    assert [line for line in shown if "first-line" in line or "second-line" in line] == []

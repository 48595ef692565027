"""The secret scanner's server and its copies: one for each connection, none longer than it may, none left behind."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cloud_agent_runner.secret_scan import client
from cloud_agent_runner.secret_scan.client import ScannerConnection, ScannerError
from embedded_aws.testing import eventually

TOKEN = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"  # put together here, so that nobody's scanner stops a push
SECONDS = 60


def server() -> psutil.Process:
    """The one server of this process."""
    module = "cloud_agent_runner.secret_scan.server"
    (found,) = [child for child in psutil.Process().children() if module in child.cmdline()]
    return found


def capabilities(process: psutil.Process) -> list[str]:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return re.findall(r"^Cap(?:Inh|Prm|Eff|Amb):\s*(\w+)$", status, re.MULTILINE)


async def test_each_connection_has_a_copy_of_one_server_and_none_needs_another() -> None:
    async with await ScannerConnection.open() as one, await ScannerConnection.open() as other:
        assert await one.ask(SECONDS, text=f"token={TOKEN}") == [TOKEN]
        assert await other.ask(SECONDS, text="nothing") == []
        first, second = sorted(server().children(), key=psutil.Process.create_time)[-2:]
        first.kill()
        with pytest.raises(ScannerError):
            await one.ask(SECONDS, text="nothing")
        assert await other.ask(SECONDS, text=TOKEN) == [TOKEN]
    await asyncio.to_thread(second.wait, SECONDS)


def test_the_server_has_nothing_in_memory_that_it_does_not_use() -> None:
    program = """
import sys
import cloud_agent_runner.secret_scan.server
print({"asyncio", "ssl"} & set(sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout == b"set()\n"


async def test_a_copy_that_takes_too_long_is_ended_whatever_it_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LATER_SECONDS", 0.01 - SECONDS)
    async with await ScannerConnection.open() as scanner:
        with pytest.raises(ScannerError, match="IncompleteReadError"):
            await scanner.ask(SECONDS, text=f"token={TOKEN}\n" * 100_000)


async def test_what_a_copy_cannot_do_is_no_answer() -> None:
    async with await ScannerConnection.open() as scanner:
        with pytest.raises(ScannerError, match="CalledProcessError"):
            await scanner.ask(SECONDS, commits=["/nowhere", "0" * 40, "HEAD"])
        assert await scanner.ask(SECONDS, text=TOKEN) == [TOKEN]


async def test_a_server_that_died_is_started_anew() -> None:
    (await ScannerConnection.open()).close()
    former = server()
    former.kill()
    await asyncio.to_thread(former.wait, SECONDS)
    async with await ScannerConnection.open() as scanner:
        assert await scanner.ask(SECONDS, text=TOKEN) == [TOKEN]
    assert server() != former


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities and this limit are Linux's")
async def test_no_copy_has_a_capability_or_all_of_the_memory() -> None:
    async with await ScannerConnection.open() as scanner:
        await scanner.ask(SECONDS, text="nothing")
        copy = max(server().children(), key=psutil.Process.create_time)
        assert copy.rlimit(psutil.RLIMIT_AS) == (3 << 30, 3 << 30)
        assert capabilities(copy) == ["0" * 16] * 4


def test_nothing_is_left_of_the_server_whatever_ends_its_client() -> None:
    program = """
import os
from cloud_agent_runner.secret_scan import client
connection = client._SERVER.connect()
print(client._SERVER._process.pid, flush=True)
os._exit(0)
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    eventually(lambda: not psutil.pid_exists(int(printed)), SECONDS)

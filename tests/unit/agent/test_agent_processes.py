"""What runs beside the dev server that is shown, with real processes: an API, a worker, what builds styles."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.kit.ports import free_port

from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview import kept_process
from cloud_agent_runner.preview.dev_server import DevServer
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.preview.plan import DevServerPlan, Process
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SERVER = f'exec {sys.executable} -u -m http.server --bind "$HOST" "$PORT"'
PAGE = f"mkdir -p page && echo page > page/index.html && cd page && {SERVER}"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_process, "_FIRST_PAUSE_SECONDS", 0.02)


@asynccontextmanager
async def _running(folder: Path, *processes: Process) -> AsyncIterator[DevServer]:
    """Run a page and what is beside it, until the page is there."""
    address = ListenAddress("127.0.44.79", "127.0.44.79", free_port())
    plan = DevServerPlan(dev=PAGE, processes=processes)
    dev_server = DevServer(plan, WorkspaceUser(folder, None), folder, address, {}, notices=Notices())
    task = asyncio.create_task(dev_server.keep_running())
    try:
        await dev_server.wait_until_ready(limit_seconds=20)
        yield dev_server
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _text(url: str, *, retries: int = 5) -> str:
    async with httpx.AsyncClient(trust_env=False, transport=httpx.AsyncHTTPTransport(retries=retries)) as http:
        return (await http.get(url)).text


async def test_an_api_runs_beside_the_page_at_a_port_of_its_own(tmp_path: Path) -> None:
    api = Process("api", f"mkdir -p api && echo answer > api/index.html && cd api && {SERVER}", free_port())
    async with _running(tmp_path, api) as dev_server:
        assert await _text(dev_server.url) == "page\n"
        assert await _text(f"http://127.0.0.1:{api.port}") == "answer\n"
    with pytest.raises(httpx.ConnectError):
        await _text(f"http://127.0.0.1:{api.port}", retries=0)


async def test_a_worker_has_no_port(tmp_path: Path) -> None:
    worker = Process("worker", 'echo "${HOST-none} ${PORT-none} ${HOME:+home}" > seen; exec sleep 60')
    async with _running(tmp_path, worker):
        async with asyncio.timeout(10):
            while not (tmp_path / "seen").exists() or not (tmp_path / "seen").read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert (tmp_path / "seen").read_text() == "none none home\n"


async def test_what_keeps_ending_is_named_and_the_page_stays(tmp_path: Path) -> None:
    worker = Process("worker", "echo no queue; test -e queue || exit 3; exec sleep 60")
    async with _running(tmp_path, worker) as dev_server:
        async with asyncio.timeout(10):
            while not (dev_server.flaw and dev_server.last_lines(20).endswith("\nno queue")):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert dev_server.flaw == "the dev server (worker) keeps ending: no queue"
        assert '"GET / HTTP/1.1" 200 -\n--- dev server (worker)\n' in dev_server.last_lines(20)
        assert (await dev_server.probe()).status == 200

        (tmp_path / "queue").touch()
        await dev_server.restart()
        await dev_server.wait_until_ready(limit_seconds=20)
        assert dev_server.flaw == ""


async def test_a_restart_is_one_of_all_processes(tmp_path: Path) -> None:
    worker = Process("worker", "echo started >> starts; exec sleep 60")
    starts = tmp_path / "starts"
    async with _running(tmp_path, worker) as dev_server, asyncio.timeout(20):
        for count in (1, 2):
            while not starts.exists() or starts.read_text() != "started\n" * count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await dev_server.restart()

"""The guard ends real commands; only what the kernel says of memory is made up."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.kit.cgroups import GIB, MIB, cgroup_v2, machine
from tests.kit.ports import free_port

from cloud_agent_runner.claude import PROGRAM
from cloud_agent_runner.claude.client import TurnResult
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview.dev_server import DevServer, InstallFailedError
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.preview.plan import DevServerPlan
from cloud_agent_runner.workspace import resource_guard
from cloud_agent_runner.workspace.container_memory import ContainerMemory
from cloud_agent_runner.workspace.disk_space import DiskSpace
from cloud_agent_runner.workspace.resource_guard import ResourceGuard
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MORE_THAN_THERE_IS = 2**60
DONE = TurnResult(is_error=False, result="Done.", turns=1, cost_usd=0.1)
KILLED = TurnResult(is_error=True, result="Claude Code stopped unexpectedly.", turns=1, cost_usd=0.1)


class Container:
    """A container of 4 GB and what runs in it."""

    def __init__(self, folder: Path, plan: DevServerPlan, least_disk_bytes: int = 0) -> None:
        self.user = WorkspaceUser(folder, None)
        self.notices = Notices()
        address = ListenAddress("127.0.0.1", "127.0.0.1", free_port())
        self.dev_server = DevServer(plan, self.user, folder, address, {}, notices=self.notices)
        self._folder = folder
        self.uses(GIB)
        memory = ContainerMemory(None, cgroup=folder / "cgroup", proc=machine(folder / "proc"))
        disk = DiskSpace(folder, least_bytes=least_disk_bytes)
        self.guard = ResourceGuard(self.user, memory, [disk], self.notices, note=self.dev_server.note)

    def uses(self, used: int, *, kills: int = 0) -> None:
        cgroup_v2(self._folder / "cgroup", limit=4 * GIB, used=used, kills=kills)

    async def turn(self, command: str = "sleep 60") -> asyncio.subprocess.Process:
        arguments = self.user.command(PROGRAM, "/bin/sh", "-c", command, directory=self._folder)
        return await asyncio.create_subprocess_exec(*arguments)

    async def use_memory(self, name: str, at_least: int = 1) -> None:
        """Wait until the command of this name does."""
        async with asyncio.timeout(10):
            while self.user.memory_used().get(name, 0) < at_least:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.dev_server.keep_running())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_turn_that_uses_up_the_memory_is_ended_and_its_result_says_so(tmp_path: Path) -> None:
    container = Container(tmp_path, DevServerPlan(dev="exec sleep 60"))
    async with container.serving():
        turn = await container.turn(f"{sys.executable} -c 'import time; kept = bytearray(50_000_000); time.sleep(60)'")
        await container.use_memory(PROGRAM, at_least=50_000_000)
        await container.use_memory("dev server")

        container.uses(4 * GIB - 100 * MIB)
        await container.guard.look()

        assert await turn.wait() != 0
        assert "dev server" in container.user.memory_used()
    result = container.notices.add_to(KILLED)
    assert result.is_error
    assert result.result.startswith("Stopped: the container ran out of memory (4 GB; the deployment's `AgentMemory`).")
    assert container.notices.add_to(DONE) == DONE


async def test_a_dev_server_that_uses_up_the_memory_is_restarted_and_the_next_result_says_so(tmp_path: Path) -> None:
    container = Container(tmp_path, DevServerPlan(dev="exec sleep 60"))
    async with container.serving():
        await container.use_memory("dev server")

        container.uses(4 * GIB - 100 * MIB)
        await container.guard.look()

        reason = "the container ran out of memory (4 GB; the deployment's `AgentMemory`)"
        assert f"(Stopped: {reason}.)" in container.dev_server.last_lines(20)
        result = container.notices.add_to(DONE)
        assert (result.is_error, result.result) == (False, f"Done.\n\nThe dev server was stopped: {reason}.")
        await container.use_memory("dev server")


async def test_an_install_that_uses_up_the_memory_fails_and_says_why(tmp_path: Path) -> None:
    container = Container(tmp_path, DevServerPlan(install="sleep 60", dev="true"))
    install = asyncio.create_task(container.dev_server.install())
    await container.use_memory("install")

    container.uses(4 * GIB - 100 * MIB)
    await container.guard.look()

    with pytest.raises(InstallFailedError):
        await install
    assert "(Stopped: the container ran out of memory (4 GB" in container.dev_server.last_lines(20)


async def test_a_full_disk_ends_the_turn_once_so_that_the_next_can_tidy_up(tmp_path: Path) -> None:
    container = Container(tmp_path, DevServerPlan(dev="true"), least_disk_bytes=MORE_THAN_THERE_IS)
    first = await container.turn()
    await container.use_memory(PROGRAM)
    await container.guard.look()
    assert await first.wait() != 0
    result = container.notices.add_to(KILLED)
    assert result.result.startswith("Stopped: the container is running out of disk space (")

    next_turn = await container.turn()
    await container.use_memory(PROGRAM)
    await container.guard.look()

    assert PROGRAM in container.user.memory_used()
    assert container.notices.add_to(DONE) == DONE
    await container.user.end(PROGRAM)
    await next_turn.wait()


async def test_the_command_with_the_most_processes_is_ended_and_the_next_result_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource_guard, "_MOST_PROCESSES", 20)
    container = Container(tmp_path, DevServerPlan(dev="for i in $(seq 30); do sleep 60 & done; wait"))
    turn = await container.turn()
    async with container.serving(), asyncio.timeout(20):
        while container.user.processes_used().get("dev server", 0) < 31:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
        assert container.user.processes_used()[PROGRAM] < 3

        await container.guard.look()

        assert PROGRAM in container.user.processes_used()
        assert "(Stopped: it ran 31 processes and threads, and 20 is the most.)" in container.dev_server.last_lines(5)
    result = container.notices.add_to(DONE)
    assert result.result == "Done.\n\nThe dev server was stopped: it ran 31 processes and threads, and 20 is the most."
    await container.user.end(PROGRAM)
    await turn.wait()


async def test_a_turn_with_too_many_threads_is_ended_as_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource_guard, "_MOST_PROCESSES", 20)
    container = Container(tmp_path, DevServerPlan(dev="true"))
    threads = "import threading, time; [threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(30)]"
    turn = await container.turn(f"exec {sys.executable} -c '{threads}'")
    async with asyncio.timeout(20):
        while container.user.processes_used().get(PROGRAM, 0) < 31:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)

    await container.guard.look()

    assert await turn.wait() != 0
    assert container.notices.add_to(KILLED).result.startswith("Stopped: it ran 31 processes and threads, and 20 is")


async def test_nothing_is_ended_while_there_is_enough(tmp_path: Path) -> None:
    container = Container(tmp_path, DevServerPlan(dev="true"))
    turn = await container.turn()
    await container.use_memory(PROGRAM)

    await container.guard.look()

    assert PROGRAM in container.user.memory_used()
    assert container.notices.add_to(DONE) == DONE
    await container.user.end(PROGRAM)
    await turn.wait()


async def test_a_process_that_the_kernel_killed_is_mentioned_once(tmp_path: Path) -> None:
    container = Container(tmp_path, DevServerPlan(dev="true"))

    container.uses(GIB, kills=1)
    await container.guard.look()
    result = container.notices.add_to(DONE)
    await container.guard.look()

    assert "so the kernel killed a process" in result.result
    assert not result.is_error
    assert container.notices.add_to(DONE) == DONE


async def test_a_dev_server_stopped_for_its_flood_of_output_is_mentioned(tmp_path: Path) -> None:
    container = Container(tmp_path, DevServerPlan(dev="head -c 100100000 /dev/zero; sleep 60"))
    async with container.serving(), asyncio.timeout(30):
        while (result := container.notices.add_to(DONE)) == DONE:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.05)

    assert result.result == "Done.\n\nThe dev server was stopped: it wrote more than 100 MB within a minute."


def test_a_turn_that_finished_as_it_was_stopped_keeps_what_it_says() -> None:
    notices = Notices()
    notices.turn_stopped("Stopped: no memory.")

    result = notices.add_to(DONE)

    assert (result.is_error, result.result) == (True, "Stopped: no memory.\n\nDone.")

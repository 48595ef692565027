from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import PIPE, Process

import pytest

from cloud_agent_runner.workspace.ended import ended

# Once told to end, it does when its input ends.
SLOW = "trap 'read line; exit 3' TERM; echo started; read line"
STUBBORN = "trap '' TERM; echo started; read line"


async def test_a_process_that_has_ended_is_left_alone() -> None:
    started = await asyncio.create_subprocess_exec("true")
    async with ended(started) as process:
        assert await process.wait() == 0
    assert process.returncode == 0


async def test_a_process_that_still_runs_is_ended() -> None:
    async with ended(await asyncio.create_subprocess_exec("sleep", "60")) as process:
        pass
    assert process.returncode == -signal.SIGTERM


async def test_however_often_the_wait_for_its_end_is_cancelled_the_process_is_gone_afterwards() -> None:
    started = await _started(SLOW)
    holding = asyncio.create_task(_hold(started))
    for _ in range(3):
        await asyncio.sleep(0)
        holding.cancel()
    await asyncio.sleep(0)
    assert not holding.done()
    assert started.stdin
    started.stdin.close()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert started.returncode == 3


async def test_a_process_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_agent_runner.workspace.ended._POLITE_SECONDS", 0.01)
    async with ended(await _started(STUBBORN)) as process:
        pass
    assert process.returncode == -signal.SIGKILL


async def _started(script: str) -> Process:
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", script, stdin=PIPE, stdout=PIPE)
    assert process.stdout
    assert await process.stdout.readline() == b"started\n"
    return process


async def _hold(process: Process) -> None:
    async with ended(process):
        await asyncio.Event().wait()

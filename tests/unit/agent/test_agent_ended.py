from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process

import pytest

from cloud_agent_runner.workspace.ended import ended

# Once told to end, it does when it is given a line.
SLOW = "trap 'read line; exit 3' TERM; echo started; read line"


async def test_a_process_that_has_ended_is_left_alone() -> None:
    started = await asyncio.create_subprocess_exec("true")
    async with ended(started) as process:
        assert await process.wait() == 0
    assert process.returncode == 0


async def test_a_process_that_still_runs_is_ended() -> None:
    async with ended(await asyncio.create_subprocess_exec("sleep", "60")) as process:
        pass
    assert process.returncode == -15


async def test_however_often_the_wait_for_its_end_is_cancelled_the_process_is_gone_afterwards() -> None:
    started = await asyncio.create_subprocess_exec("/bin/sh", "-c", SLOW, stdin=PIPE, stdout=PIPE)
    assert started.stdin
    assert started.stdout
    assert await started.stdout.readline() == b"started\n"
    holding = asyncio.create_task(_hold(started))
    for _ in range(3):
        await asyncio.sleep(0)
        holding.cancel()
    await asyncio.sleep(0)
    assert not holding.done()
    started.stdin.write(b"\n")
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert started.returncode == 3


async def _hold(process: Process) -> None:
    async with ended(process):
        await asyncio.Event().wait()

from __future__ import annotations

import asyncio

from cloud_agent_runner.first_change import FirstChange


async def test_claudes_first_change_waits_for_the_installation_and_no_later_one_does() -> None:
    installed, told = asyncio.Event(), asyncio.Event()

    async def over() -> None:
        await installed.wait()

    first_change = FirstChange(over, told.set)
    calls = [asyncio.create_task(first_change()) for _ in range(2)]
    _, held = await asyncio.wait(calls, timeout=0.05)
    assert (len(held), told.is_set()) == (2, False)

    installed.set()
    await asyncio.gather(*calls)
    assert told.is_set()
    installed.clear()
    await asyncio.wait_for(first_change(), 1)


async def test_an_installation_without_end_is_waited_for_once() -> None:
    told = []
    first_change = FirstChange(asyncio.Event().wait, lambda: told.append("changes"), limit_seconds=0.01)  # type: ignore[arg-type]
    for _ in range(2):
        await first_change()
    assert told == ["changes"]

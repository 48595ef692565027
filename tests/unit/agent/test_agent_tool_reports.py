"""What Claude does is reported as often as it's shown, and the latest of it always."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.kit.virtual_time import run

from cloud_agent_runner.agent_api_connection import SessionOverError
from cloud_agent_runner.claude.todo_list import TodoProgress
from cloud_agent_runner.tool_reports import INTERVAL_SECONDS, ToolReports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_agent_runner.agent_api import AgentApi

TODO = TodoProgress(1, 3, "Adding the total")


class Api:
    """Remembers the reports and when they had come, in seconds from the start; each takes `seconds`."""

    def __init__(self, seconds: float = 0.5, fault: Exception | None = None) -> None:
        self.reports: list[tuple[float, str, bool]] = []
        self._seconds = seconds
        self._fault = fault

    async def tool_used(self, _prompt_id: str, tool: str, _detail: str, todo: object) -> None:
        await asyncio.sleep(self._seconds)
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        self.reports.append((asyncio.get_running_loop().time(), tool, todo is not None))


def _turn(api: Api, work: Callable[[ToolReports], Awaitable[Any]]) -> list[tuple[float, str, bool]]:
    async def main() -> None:
        async with ToolReports(cast("AgentApi", api), "a prompt") as reports:
            await work(reports)
        await asyncio.sleep(3_600)

    run(main())
    return api.reports


def test_the_first_is_reported_at_once_and_then_the_latest_after_each_pause() -> None:
    async def work(reports: ToolReports) -> None:
        for number in range(20):
            reports.add(f"tool {number}", "", None)
            await asyncio.sleep(9)

    reported = _turn(Api(), work)
    assert [tool for _, tool, _ in reported] == [f"tool {number}" for number in (0, 3, 7, 10, 14, 18)]
    assert [at for at, _, _ in reported] == [0.5 + number * (INTERVAL_SECONDS + 0.5) for number in range(6)]


def test_a_tool_that_runs_long_is_reported_while_it_does() -> None:
    async def work(reports: ToolReports) -> None:
        reports.add("Read", "", None)
        await asyncio.sleep(1)
        reports.add("Bash", "", None)
        await asyncio.sleep(600)

    assert _turn(Api(), work) == [(0.5, "Read", False), (INTERVAL_SECONDS + 1, "Bash", False)]


def test_progress_with_the_list_replaces_no_tool() -> None:
    async def work(reports: ToolReports) -> None:
        reports.add("Bash", "", None)
        await asyncio.sleep(1)
        reports.add("Read", "", None)
        reports.add("TodoWrite", "", TodoProgress(0, 3, ""))
        reports.add("TodoWrite", "", TODO)
        await asyncio.sleep(60)

    assert [(tool, of_the_list) for _, tool, of_the_list in _turn(Api(), work)] == [
        ("Bash", False),
        ("Read", False),
        ("TodoWrite", True),
    ]


def test_none_comes_after_the_turns_end() -> None:
    async def work(reports: ToolReports) -> None:
        reports.add("Bash", "", None)
        await asyncio.sleep(1)
        reports.add("Read", "", None)

    assert [tool for _, tool, _ in _turn(Api(), work)] == ["Bash"]


@pytest.mark.parametrize("cancelled", [False, True])
def test_the_turns_end_waits_for_a_report_on_its_way(cancelled: bool) -> None:  # noqa: FBT001 - a parameter
    async def work(reports: ToolReports) -> None:
        reports.add("Bash", "", None)
        await asyncio.sleep(1)

    async def main(api: Api) -> tuple[float, int]:
        async def turn() -> None:
            async with ToolReports(cast("AgentApi", api), "a prompt") as reports:
                await work(reports)

        turning = asyncio.create_task(turn())
        await asyncio.sleep(2)
        if cancelled:
            turning.cancel()
        await asyncio.wait([turning])
        ended = asyncio.get_running_loop().time()
        await asyncio.sleep(0)
        return ended, len(asyncio.all_tasks()) - 1

    api = Api(seconds=5)
    assert run(main(api)) == ((2, 0) if cancelled else (5, 0))
    assert api.reports == ([] if cancelled else [(5, "Bash", False)])


def test_a_report_that_is_refused_ends_no_turn_and_no_later_report() -> None:
    async def work(reports: ToolReports) -> None:
        reports.add("Bash", "", None)
        await asyncio.sleep(1)
        reports.add("Read", "", None)
        await asyncio.sleep(60)

    assert [tool for _, tool, _ in _turn(Api(fault=SessionOverError("It's over.")), work)] == ["Read"]

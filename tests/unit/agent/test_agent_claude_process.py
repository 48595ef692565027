from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage

from cloud_agent_runner.claude import process as process_module
from cloud_agent_runner.claude.process import ClaudeProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Client:
    """Claude Code, which works until it's interrupted, or not at all."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.works = True
        self.obeys = True
        self._is_interrupted = asyncio.Event()

    async def connect(self) -> None:
        """Start."""

    async def query(self, _request: str) -> None:
        if not self.works:
            self._is_interrupted.set()

    async def interrupt(self) -> None:
        if not self.obeys:
            await asyncio.Event().wait()
        self._is_interrupted.set()

    async def disconnect(self) -> None:
        self.calls.append("disconnect")
        if not self.obeys:
            await asyncio.Event().wait()

    async def receive_response(self) -> AsyncIterator[ResultMessage]:
        await self._is_interrupted.wait()
        yield ResultMessage("success", 1, 1, is_error=False, num_turns=1, session_id="1")

    async def get_mcp_status(self) -> dict[str, Any]:
        self.calls.append("status")
        return {"mcpServers": []}


def _report_tool(_tool: str, _detail: str, _todo: object) -> None: ...


async def test_an_interrupt_outside_an_answer_is_of_no_consequence(tmp_path: Path) -> None:
    process = ClaudeProcess(ClaudeAgentOptions(), tmp_path, _report_tool)
    await process.interrupt()
    assert not process.interrupted


@pytest.mark.parametrize("interrupted", [True, False])
async def test_nobody_who_interrupts_waits_for_news_of_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, interrupted: bool
) -> None:
    client = Client()
    client.works = interrupted
    monkeypatch.setattr(process_module, "ClaudeSDKClient", lambda _options: client)
    process = ClaudeProcess(ClaudeAgentOptions(), tmp_path, _report_tool)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(process.run("Work"))
        await asyncio.sleep(0)
        if interrupted:
            await process.interrupt()
    assert running.result() is not None
    assert client.calls == ([] if interrupted else ["status"])


async def test_one_that_does_not_obey_is_given_up_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_OBEDIENCE_SECONDS", "_INTERRUPT_SECONDS", "_DISCONNECT_SECONDS"):
        monkeypatch.setattr(process_module, name, 0.01)
    client = Client()
    client.obeys = False
    monkeypatch.setattr(process_module, "ClaudeSDKClient", lambda _options: client)
    process = ClaudeProcess(ClaudeAgentOptions(), tmp_path, _report_tool)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(process.run("Work"))
        await asyncio.sleep(0)
        await process.interrupt()
    assert (running.result(), process.interrupted) == (None, True)
    async with asyncio.timeout(20):
        await process.end()
    assert client.calls == ["disconnect"]

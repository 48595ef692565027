from __future__ import annotations

from typing import TYPE_CHECKING

from claude_agent_sdk import ClaudeAgentOptions

from cloud_agent_runner.claude.process import ClaudeProcess

if TYPE_CHECKING:
    from pathlib import Path


async def _report_tool(_tool: str, _detail: str, _todo: object) -> None: ...


async def test_an_interrupt_outside_an_answer_is_of_no_consequence(tmp_path: Path) -> None:
    process = ClaudeProcess(ClaudeAgentOptions(), tmp_path, _report_tool)
    await process.interrupt()
    assert not process.interrupted

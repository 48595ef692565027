"""One run of Claude Code: started, observed, interrupted and ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    Message,
    ResultMessage,
    TextBlock,
    ToolUseBlock,
)

from cloud_agent_runner.attachments.given import messages
from cloud_agent_runner.claude.mcp_servers import unavailable_servers
from cloud_agent_runner.claude.todo_list import TodoProgress, todo_progress
from cloud_agent_runner.claude.tool_policy import BeforeChange, ToolPolicy, at_once
from cloud_agent_runner.claude.tools import seen_from

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.attachments.given import Image

logger = logging.getLogger(__name__)

ToolReport = Callable[[str, str, TodoProgress | None], None]
Observer = Callable[[Message], None]

_DETAIL_LIMIT_CHARACTERS = 200
_INTERRUPT_SECONDS = 1
_STATUS_SECONDS = 1
_DISCONNECT_SECONDS = 2
# Claude Code ends an interrupted turn within 0.1 s. Should it not, its process is ended instead.
_OBEDIENCE_SECONDS = 3


class ClaudeProcess:
    """One run of Claude Code, for one request.

    `conversation` is what it can be resumed by, once the request is written down there; `last_message` is what
    Claude wrote last, and `fault` the name of the fault when that message is Claude Code's own about the model
    API. `loop` and `interrupted` say why it was stopped before its end, if it was. `unavailable_servers` are sentences
    about MCP servers, by name.
    """

    def __init__(
        self,
        options: ClaudeAgentOptions,
        work_tree: Path,
        report_tool: ToolReport,
        before_change: BeforeChange = at_once,
        observe: Observer = lambda _: None,
    ) -> None:
        self._observe = observe
        self._policy = ToolPolicy(work_tree, before_change)
        self._client = ClaudeSDKClient(
            replace(options, hooks=self._policy.hooks(), can_use_tool=self._policy.permission)
        )
        self._work_tree = work_tree
        self._report_tool = report_tool
        self._running = False
        self._asked = False
        self._patience = asyncio.timeout(None)
        self.conversation: str | None = None
        self.interrupted = False
        self.last_message = ""
        self.fault: str | None = None
        self.unavailable_servers: dict[str, str] = {}

    @property
    def loop(self) -> str | None:
        """What Claude kept repeating, as a sentence's beginning."""
        return self._policy.loop

    async def run(self, request: str, images: tuple[Image, ...] = ()) -> ResultMessage | None:
        """Have the request done and return how it ended, None when the process ended or had to be given up first.

        What the SDK raises is passed on: plain Exception for some faults.
        """
        self._running = True
        try:
            async with self._patience:
                return await self._exchange(request, images)
        except TimeoutError:
            if not self._patience.expired():
                raise
            logger.warning("claude code did not obey", extra={"step": "interrupt"})
            return None
        finally:
            self._running = False

    async def interrupt(self) -> None:
        """Stop what Claude is doing, its shell included: `run` returns at once. After it, nothing happens."""
        if not self._running or self.interrupted:
            return
        self.interrupted = True
        self._patience.reschedule(asyncio.get_running_loop().time() + _OBEDIENCE_SECONDS)
        if self._asked:
            await self._obeyed(self._client.interrupt, _INTERRUPT_SECONDS)

    async def end(self) -> None:
        """End the process in the time it needs to write the conversation down (0.03 s; the SDK gives it 20 s).

        One that did not obey is given two seconds, and may be left for the end of all that Claude started.
        """
        if self._patience.expired():
            await self._obeyed(self._client.disconnect, _DISCONNECT_SECONDS)
            return
        try:
            await self._client.disconnect()
        except Exception:
            logger.exception("claude code did not disconnect")

    async def end_now(self) -> None:
        """Stop what Claude is doing and end its process, within three seconds."""
        await self._obeyed(self._client.interrupt, _INTERRUPT_SECONDS)
        await self._obeyed(self._client.disconnect, _DISCONNECT_SECONDS)

    async def _exchange(self, request: str, images: tuple[Image, ...]) -> ResultMessage | None:
        await self._client.connect()
        await self._client.query(messages(request, images) if images else request)
        self._asked = True
        if self.interrupted:
            await self._obeyed(self._client.interrupt, _INTERRUPT_SECONDS)
        async for message in self._client.receive_response():
            self._observe(message)
            if isinstance(message, AssistantMessage | ResultMessage):
                # The first: a command of Claude's can write into this output, and would make the next turn fail.
                self.conversation = self.conversation or message.session_id
            if isinstance(message, AssistantMessage):
                self._note(message)
            if isinstance(message, ResultMessage):
                if not self.interrupted:  # the next turn tells of them, and nobody waits for that
                    await self._obeyed(self._look_at_servers, _STATUS_SECONDS)
                return message
        return None

    async def _look_at_servers(self) -> None:
        self.unavailable_servers = unavailable_servers((await self._client.get_mcp_status())["mcpServers"])

    async def _obeyed(self, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await step()
        except Exception as error:  # noqa: BLE001 - the SDK raises plain Exception, and there is another way to end
            logger.info("claude code did not obey", extra={"step": step.__name__, "reason": type(error).__name__})

    def _note(self, message: AssistantMessage) -> None:
        for block in message.content:
            if isinstance(block, TextBlock) and message.parent_tool_use_id is None:
                self.last_message, self.fault = block.text, message.error
            if isinstance(block, ToolUseBlock):
                # A subagent has a list of its own.
                todo = todo_progress(block.name, block.input) if message.parent_tool_use_id is None else None
                self._report_tool(block.name, self._detail(block.input), todo)

    def _detail(self, arguments: Mapping[str, Any]) -> str:
        """Return the one argument that tells a reader what a tool is used on."""
        for name in ("file_path", "notebook_path", "command", "pattern", "url", "description"):
            if name in arguments:
                return seen_from(self._work_tree, str(arguments[name]))[:_DETAIL_LIMIT_CHARACTERS]
        return ""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ResultMessage,
    ToolUseBlock,
)

from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.tool_policy import ALLOWED_TOOLS, REFUSED_TOOLS, ToolPolicy

logger = logging.getLogger(__name__)

_DETAIL_LIMIT_CHARACTERS = 200
_LONGEST_MESSAGE_BYTES = 64 * 1024 * 1024
_INTERRUPT_SECONDS = 1
_DISCONNECT_SECONDS = 2
# Nothing but the model's answers is worth a connection from here, and no shell outlives its turn.
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
}

ToolReport = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True)
class Limits:
    """How far Claude may go: `turns` for one request, `budget_usd` for the whole session."""

    turns: int
    budget_usd: float


@dataclass(frozen=True)
class Turn:
    """What came of one request. `turns` and `cost_usd` are totals of the session."""

    is_error: bool
    result: str
    turns: int
    cost_usd: float


class Claude:
    """Claude Code in one repository: one conversation for the whole session, whatever happens to its process."""

    def __init__(
        self, work_tree: Path, model: str, instructions: str, environment: Mapping[str, str], limits: Limits
    ) -> None:
        self._limits = limits
        self._work_tree = work_tree
        self._conversation = str(uuid.uuid4())
        self._begun = False
        self._client: ClaudeSDKClient | None = None
        self._turns = 0
        self._cost_usd = 0.0
        self._options = ClaudeAgentOptions(
            cwd=work_tree,
            model=model,
            system_prompt={"type": "preset", "preset": "claude_code", "append": instructions},
            env={**environment, **_QUIET},
            tools=ALLOWED_TOOLS,
            allowed_tools=ALLOWED_TOOLS,
            disallowed_tools=REFUSED_TOOLS,
            permission_mode="dontAsk",
            hooks=ToolPolicy().hooks(),
            # The repository's own settings could run hooks, and an `@path` in an issue would be read and sent.
            setting_sources=[],
            strict_mcp_config=True,
            verbatim_prompts=True,
            max_turns=limits.turns,
            max_buffer_size=_LONGEST_MESSAGE_BYTES,
            stderr=lambda line: logger.info("claude code says", extra={"line": line}),
        )

    async def aclose(self) -> None:
        """Stop what Claude is doing and end its process, within three seconds."""
        client, self._client = self._client, None
        if client is None:
            return
        for step, seconds in ((client.interrupt, _INTERRUPT_SECONDS), (client.disconnect, _DISCONNECT_SECONDS)):
            try:
                async with asyncio.timeout(seconds):
                    await step()
            except Exception as error:  # noqa: BLE001 - the SDK raises plain Exception, and the end is the end
                logger.info("claude code did not obey", extra={"step": step.__name__, "reason": type(error).__name__})

    async def turn(self, request: str, report_tool: ToolReport) -> Turn:
        """Have one request done, in the light of all earlier ones.

        A failure of Claude or of its process is a `Turn` with `is_error`, never an exception: the session
        goes on, and the next request finds the conversation as it was.
        """
        if self._cost_usd >= self._limits.budget_usd:
            return self._turn(is_error=True, result=self._over_budget())
        try:
            client = await self._connected()
            await client.query(request)
            async for message in client.receive_response():
                await self._note(message, report_tool)
                if isinstance(message, ResultMessage):
                    turn = self._outcome(message)
                    if turn.is_error:
                        # Past a limit the process ends itself; a new one takes the conversation up again.
                        await self._let_go()
                    return turn
            reason = "Claude Code ended without an answer."
        except AgentError:
            raise
        except Exception as error:  # the SDK raises plain Exception for some faults of the process
            logger.exception("claude code failed")
            reason = f"Claude Code stopped unexpectedly ({type(error).__name__})."
        await self._let_go()
        return self._turn(is_error=True, result=f"{reason} Comment again to have it continue.")

    async def _connected(self) -> ClaudeSDKClient:
        if self._client is None:
            # A process counts from zero what it spends, also on a conversation taken up again.
            options = replace(self._options, max_budget_usd=self._limits.budget_usd - self._cost_usd)
            if self._begun:
                client = ClaudeSDKClient(replace(options, resume=self._conversation))
            else:
                client = ClaudeSDKClient(replace(options, session_id=self._conversation))
            await client.connect()
            self._client = client
        return self._client

    async def _let_go(self) -> None:
        """End a process that has failed, in the time it needs to write the conversation down (SDK: 20 s at most)."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await client.disconnect()
        except Exception:
            logger.exception("claude code did not disconnect")

    async def _note(self, message: object, report_tool: ToolReport) -> None:
        self._begun = True
        if not isinstance(message, AssistantMessage):
            return
        for block in message.content:
            if isinstance(block, ToolUseBlock):
                await report_tool(block.name, self._detail(block.input))

    def _detail(self, arguments: Mapping[str, Any]) -> str:
        """Return the one argument that tells a reader what a tool is used on."""
        for name in ("file_path", "notebook_path", "command", "pattern", "description"):
            if name in arguments:
                text = str(arguments[name]).replace(f"{self._work_tree}/", "")
                return text[:_DETAIL_LIMIT_CHARACTERS]
        return ""

    def _outcome(self, message: ResultMessage) -> Turn:
        self._turns += message.num_turns
        # Cumulative over the conversation, also across a resume: the last value is the total.
        self._cost_usd = max(self._cost_usd, message.total_cost_usd or 0.0)
        if message.subtype == "error_max_turns":
            result = (
                f"Stopped after {self._limits.turns} turns, the limit for one request (MAX_TURNS). "
                "Comment again to have it continue."
            )
        elif message.subtype == "error_max_budget_usd":
            result = self._over_budget()
        else:
            result = message.result or "; ".join(message.errors or []) or "(Claude said nothing.)"
        return self._turn(is_error=message.is_error or message.subtype != "success", result=result)

    def _over_budget(self) -> str:
        return (
            f"Stopped: the session's budget of ${self._limits.budget_usd:.2f} is used up (MAX_BUDGET_USD), "
            f"${self._cost_usd:.2f} having been spent. To go on, start a new session."
        )

    def _turn(self, *, is_error: bool, result: str) -> Turn:
        return Turn(is_error=is_error, result=result, turns=self._turns, cost_usd=self._cost_usd)

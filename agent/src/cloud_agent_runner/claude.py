"""Claude Code's conversation over a whole session: one request at a time, within the session's limits."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from claude_agent_sdk import ClaudeAgentOptions, ResultError, ResultMessage

from cloud_agent_runner.claude_process import ClaudeProcess, ToolReport
from cloud_agent_runner.claude_program import PROGRAM, claude_program
from cloud_agent_runner.command_output import LineLog
from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.model_errors import model_error
from cloud_agent_runner.tool_policy import REFUSED_TOOLS, Tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cloud_agent_runner.workspace_user import WorkspaceUser

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE_BYTES = 64 * 1024 * 1024
# Nothing but the model's answers is worth a connection from here, and no shell outlives its turn.
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
}
_NOTHING_TO_RESUME = "No conversation found"
_RETRY = "Comment again to continue."


@dataclass(frozen=True)
class Assignment:
    """Where Claude works and as what, and how far it may go in the whole session."""

    work_tree: Path
    model: str
    instructions: str
    tools: Sequence[Tool]
    max_turns: int
    budget_usd: float


@dataclass(frozen=True)
class TurnResult:
    """How one turn ended. `turns` and `cost_usd` are totals of the session."""

    is_error: bool
    result: str
    turns: int
    cost_usd: float
    interrupted: bool = False


class Claude:
    """Claude Code in one repository: one conversation for the whole session, and a process for each turn.

    A process is told its limits when it starts, so each gets what is left of the session's; and between turns,
    which may be hours apart, nothing of Claude runs.
    """

    def __init__(self, assignment: Assignment, user: WorkspaceUser, access: Mapping[str, str]) -> None:
        """Prepare the conversation; `access` are the variables by which Claude Code reaches the model."""
        self._assignment = assignment
        self._user = user
        self._conversation: str | None = None
        self._process: ClaudeProcess | None = None
        self._turns = 0
        self._cost_usd = 0.0
        self._cost_of_lost_conversations_usd = 0.0
        self._options = ClaudeAgentOptions(
            model=assignment.model,
            system_prompt={"type": "preset", "preset": "claude_code", "append": assignment.instructions},
            cli_path=claude_program(user, assignment.work_tree),
            env={**user.environment(), **access, **_QUIET},
            tools=list(assignment.tools),
            allowed_tools=list(assignment.tools),
            disallowed_tools=REFUSED_TOOLS,
            permission_mode="dontAsk",
            # The repository's own settings could run hooks, and an `@path` in an issue would be read and sent.
            setting_sources=[],
            strict_mcp_config=True,
            verbatim_prompts=True,
            max_buffer_size=_LONGEST_MESSAGE_BYTES,
            stderr=LineLog(PROGRAM).log,
        )

    async def aclose(self) -> None:
        """Stop what Claude is doing and end its process, within three seconds."""
        process, self._process = self._process, None
        if process is not None:
            await process.end_now()

    async def interrupt(self) -> None:
        """Stop the turn that runs; where none does, nothing happens."""
        if self._process is not None:
            logger.info("turn interrupted")
            await self._process.interrupt()

    async def turn(self, request: str, report_tool: ToolReport) -> TurnResult:
        """Have one request done, in the light of all earlier ones.

        A failure of Claude, of its process or of the model API is a `TurnResult` with `is_error`, never an exception:
        the session goes on, and the next request finds the conversation as it was.
        """
        if self._turns >= self._assignment.max_turns:
            return self._turn(self._out_of_turns(), is_error=True)
        if self._cost_usd >= self._assignment.budget_usd:
            return self._turn(self._over_budget(), is_error=True)
        process = self._process = ClaudeProcess(self._remaining(), self._assignment.work_tree, report_tool)
        message, reason = None, "Claude Code ended without a result."
        try:
            message = await process.run(request)
        except AgentError:
            raise
        except Exception as error:  # the SDK raises plain Exception for some faults of the process
            logger.exception("claude code failed")
            reason = self._reason(error)
        await process.end()
        await self._user.end(PROGRAM)
        self._process = None
        self._conversation = process.conversation or self._conversation
        if message is not None:
            self._count(message)
        return self._outcome(process, message, reason)

    def _remaining(self) -> ClaudeAgentOptions:
        """Return the options of a process that takes the conversation up with what is left to it.

        A process counts from zero what it spends, also on a conversation taken up again.
        """
        return replace(
            self._options,
            resume=self._conversation,
            max_turns=self._assignment.max_turns - self._turns,
            max_budget_usd=self._assignment.budget_usd - self._cost_usd,
        )

    def _reason(self, error: Exception) -> str:
        """Say what became of a process; forget a conversation that it died too early to write down."""
        if isinstance(error, ResultError) and any(_NOTHING_TO_RESUME in line for line in error.errors):
            self._conversation = None
            self._cost_of_lost_conversations_usd = self._cost_usd
            return "Claude Code stopped and lost the conversation so far. All work on the branch is kept."
        return f"Claude Code stopped unexpectedly ({type(error).__name__})."

    def _count(self, message: ResultMessage) -> None:
        # Claude Code counts the turn that it did not begin for want of any left, too.
        self._turns = min(self._turns + message.num_turns, self._assignment.max_turns)
        # Cumulative over the conversation, also across a resume: the last value is the total.
        cost_usd = self._cost_of_lost_conversations_usd + (message.total_cost_usd or 0.0)
        self._cost_usd = max(self._cost_usd, cost_usd)

    def _outcome(self, process: ClaudeProcess, message: ResultMessage | None, reason: str) -> TurnResult:
        """Tell an end that was made from one that came about, and either from success, whatever `subtype` says."""
        if message is not None and message.subtype == "success" and not message.is_error and process.loop is None:
            return self._turn(message.result or process.last_message or "(Claude finished without a message.)")
        if process.interrupted:
            return self._turn(_with_last_message("Interrupted by a comment.", process), interrupted=True)
        if process.loop is not None:
            stopped = f"Stopped: {process.loop}. Comment to suggest another approach."
            return self._turn(_with_last_message(stopped, process), is_error=True)
        if message is None:
            return self._turn(f"{reason} {_RETRY}", is_error=True)
        return self._turn(self._fault(process, message), is_error=True)

    def _fault(self, process: ClaudeProcess, message: ResultMessage) -> str:
        if message.subtype == "error_max_turns":
            return self._out_of_turns()
        if message.subtype == "error_max_budget_usd":
            return self._over_budget()
        reason = message.result or "; ".join(message.errors or [])
        if message.api_error_status is not None or message.terminal_reason == "api_error":
            return model_error(message.api_error_status, process.fault, reason)
        return f"Claude Code failed: {reason or message.subtype}. {_RETRY}"

    def _out_of_turns(self) -> str:
        return (
            f"Stopped: the session has used all of its {self._assignment.max_turns} model turns (the deployment's "
            "`MaxTurns`, or the repository's `max_turns` if lower). To continue, start a new session."
        )

    def _over_budget(self) -> str:
        return (
            f"Stopped: the session has used up its budget of ${self._assignment.budget_usd:.2f} (${self._cost_usd:.2f} "
            "spent; the deployment's `MaxBudgetUsd`, or the repository's `budget_usd` if lower). To continue, start a "
            "new session."
        )

    def _turn(self, result: str, *, is_error: bool = False, interrupted: bool = False) -> TurnResult:
        return TurnResult(is_error, result, self._turns, self._cost_usd, interrupted)


def _with_last_message(text: str, process: ClaudeProcess) -> str:
    return f"{text}\n\nClaude's last message:\n\n{process.last_message}" if process.last_message else text

"""Claude Code's conversation over a whole session: one request at a time, within the session's limits."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from claude_agent_sdk import ClaudeAgentOptions, ResultError, ResultMessage

from cloud_agent_runner.claude import PROGRAM
from cloud_agent_runner.claude.browser_server import ALL_BROWSER_TOOLS, browser_server
from cloud_agent_runner.claude.overridden_settings import overridden_settings, sentences
from cloud_agent_runner.claude.process import ClaudeProcess, Observer, ToolReport
from cloud_agent_runner.claude.program import claude_program, claude_shell
from cloud_agent_runner.claude.settings import outranking_settings, settings_file
from cloud_agent_runner.claude.todo_list import TODO_ENVIRONMENT
from cloud_agent_runner.claude.tool_policy import REFUSED_TOOLS, BeforeChange, at_once
from cloud_agent_runner.errors import AgentError
from cloud_agent_runner.model.access import pinned_model
from cloud_agent_runner.model.budget import Limit
from cloud_agent_runner.model.choice import ModelChoice
from cloud_agent_runner.model.errors import model_error
from cloud_agent_runner.workspace.command_output import LineLog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_runner.attachments.given import Image
    from cloud_agent_runner.claude.assignment import Assignment
    from cloud_agent_runner.model.gateway import GatewayTurn, ModelGateway
    from cloud_agent_runner.model.response_text import TurnTexts
    from cloud_agent_runner.workspace.user import WorkspaceUser

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
_MCP_TOOLS = "mcp__*"
_NOTHING_TO_RESUME = "No conversation found"
_NOT_THE_MODELS = (
    "The turn ended with a reply that the model didn't write, so it isn't shown. Something that ran in the turn "
    "wrote it to Claude Code's output."
)
_INTERRUPTED = "Interrupted by a comment."
_RETRY = "Comment again to continue."


@dataclass(frozen=True)
class TurnResult:
    """How one turn ended. `turns` and `cost_usd` are the session's totals, as the gateway has counted them."""

    is_error: bool
    result: str
    turns: int
    cost_usd: float
    interrupted: bool = False


class Claude:
    """Claude Code in one repository: one conversation for the whole session, and a process for each turn.

    Between turns, which may be hours apart, nothing of Claude runs and the gateway is closed. What a turn has used, and
    whether it ended for want of more, is the gateway's to say: Claude Code's own word is text for people.
    """

    def __init__(
        self,
        assignment: Assignment,
        user: WorkspaceUser,
        gateway: ModelGateway,
        services: Mapping[str, str] = MappingProxyType({}),
        before_change: BeforeChange = at_once,
    ) -> None:
        self._assignment = assignment
        self._choice = ModelChoice(assignment.model)
        self._before_change = before_change
        self._user = user
        self._services = services  # the variables of those that run when a turn begins
        self._gateway = gateway
        self._budget = gateway.budget
        shell = {} if user.owner is None else {"CLAUDE_CODE_SHELL": str(claude_shell())}
        self._own_variables = {**_QUIET, **TODO_ENVIRONMENT, **shell}
        self._conversation: str | None = None
        self._process: ClaudeProcess | None = None
        self._is_expecting = self._is_interrupted = False
        self._mentioned_servers: set[str] = set()
        self._mentioned_settings: set[str] = set()
        tools: list[str] = [*assignment.tools, "Skill"] if assignment.repository_settings else [*assignment.tools]
        self._options = ClaudeAgentOptions(
            system_prompt={"type": "preset", "preset": "claude_code", "append": assignment.instructions},
            cli_path=claude_program(user, assignment.work_tree),
            tools=tools,
            skills="all" if assignment.repository_settings else None,
            allowed_tools=[*tools, *_mcp_tools(assignment)],
            disallowed_tools=REFUSED_TOOLS,
            mcp_servers=browser_server(assignment.browser, user) if assignment.browser else {},
            permission_mode="default",  # whatever the repository's settings say; the policy answers in a person's place
            # On local processes, too, where hooks and MCP servers run as the supervisor's user: so do the repository's
            # install command and dev server, before Claude starts. Never "user" or "local": neither is reviewed.
            setting_sources=["project"] if assignment.repository_settings else [],
            strict_mcp_config=not assignment.repository_settings,
            # An `@path` in an issue would be read and sent.
            verbatim_prompts=True,
            max_buffer_size=_LONGEST_MESSAGE_BYTES,
            stderr=LineLog(PROGRAM).log,
        )

    def use(self, choice: ModelChoice) -> None:
        """Take the turns from the next one on with this model and effort."""
        if choice != self._choice:
            logger.info("model chosen", extra={"model": choice.model, "effort": choice.effort})
        self._choice = choice
        self._gateway.pin(choice.model)

    async def aclose(self) -> None:
        """Stop what Claude is doing and end its process, within three seconds."""
        process, self._process = self._process, None
        if process is not None:
            await process.end_now()

    def expect_turn(self) -> None:
        """Take a turn as begun: whatever is still to be fetched for it, an interrupt is for this turn from now on."""
        self._is_expecting, self._is_interrupted = True, False

    async def interrupt(self) -> None:
        """Stop the turn that runs, or that is expected; where there's none, nothing happens."""
        if self._process is not None:
            logger.info("turn interrupted")
            await self._process.interrupt()
        elif self._is_expecting:
            logger.info("turn interrupted before Claude began")
            self._is_interrupted = True

    async def turn(
        self,
        request: str,
        report_tool: ToolReport,
        observe: Observer = lambda _: None,
        images: tuple[Image, ...] = (),
    ) -> TurnResult:
        """Have one request done, in the light of all earlier ones; `observe` sees each message as it comes.

        A failure of Claude, of its process or of the model API is a `TurnResult` with `is_error`, never an exception:
        the session goes on, and the next request finds the conversation as it was.
        """
        self._is_expecting, is_interrupted = False, self._is_interrupted
        self._is_interrupted = False
        if is_interrupted:
            return self._turn(_INTERRUPTED, interrupted=True)
        if limit := self._budget.limit:
            return self._turn(self._stopped(limit), is_error=True)
        with self._gateway.turn() as access:
            return await self._turn_with(access, request, images, report_tool, observe)

    async def _turn_with(
        self,
        access: GatewayTurn,
        request: str,
        images: tuple[Image, ...],
        report_tool: ToolReport,
        observe: Observer,
    ) -> TurnResult:
        model = self._choice.model
        pinned = {**self._own_variables, **pinned_model(model), **access.environment}
        settings = outranking_settings(model, pinned)
        overridden = {}
        if self._assignment.repository_settings:
            overridden = overridden_settings(self._assignment.work_tree, settings)
        options = replace(
            self._options,
            model=model,
            effort=self._choice.effort,
            env={**self._services, **self._user.environment(), **pinned},
            settings=str(settings_file(self._user, settings)),
            resume=self._conversation,
        )
        process = self._process = ClaudeProcess(
            options, self._assignment.work_tree, report_tool, self._before_change, observe
        )
        message, reason = None, "Claude Code ended without a result."
        try:
            message = await process.run(request, images)
        except AgentError:
            raise
        except Exception as error:  # the SDK raises plain Exception for some faults of the process
            logger.exception("claude code failed")
            reason = self._reason(error)
        await process.end()
        await self._user.end(PROGRAM)
        self._process = None
        self._conversation = process.conversation or self._conversation
        if access.refused_for is not None and not process.interrupted:
            return self._turn(self._stopped(access.refused_for), is_error=True)
        if not access.texts.include(process.last_message):
            process.last_message = ""
        outcome = self._outcome(process, message, reason, access.texts)
        return self._with_mentions(outcome, process.unavailable_servers, overridden)

    def _with_mentions(
        self, turn: TurnResult, unavailable: Mapping[str, str], overridden: Mapping[str, str]
    ) -> TurnResult:
        """Mention each MCP server that Claude doesn't have, and each setting without effect, once in the session."""
        servers = [sentence for name, sentence in unavailable.items() if name not in self._mentioned_servers]
        settings = {key: instead for key, instead in overridden.items() if key not in self._mentioned_settings}
        self._mentioned_servers |= unavailable.keys()
        self._mentioned_settings |= settings.keys()
        return replace(turn, result="\n\n".join([turn.result, *servers, *sentences(settings)]))

    def _reason(self, error: Exception) -> str:
        """Say what became of a process; forget a conversation that it died too early to write down."""
        if isinstance(error, ResultError) and any(_NOTHING_TO_RESUME in line for line in error.errors):
            self._conversation = None
            return "Claude Code stopped and lost the conversation so far. All work on the branch is kept."
        return f"Claude Code stopped unexpectedly ({type(error).__name__})."

    def _outcome(
        self, process: ClaudeProcess, message: ResultMessage | None, reason: str, texts: TurnTexts
    ) -> TurnResult:
        """Tell an end that was made from one that came about, and either from success, whatever `subtype` says."""
        if message is not None and message.subtype == "success" and not message.is_error and process.loop is None:
            return self._success(message.result or process.last_message, texts)
        if process.interrupted:
            return self._turn(_with_last_message(_INTERRUPTED, process), interrupted=True)
        if process.loop is not None:
            stopped = f"Stopped: {process.loop}. Comment to suggest another approach."
            return self._turn(_with_last_message(stopped, process), is_error=True)
        if message is None:
            return self._turn(f"{reason} {_RETRY}", is_error=True)
        return self._turn(self._fault(process, message), is_error=True)

    def _success(self, reply: str, texts: TurnTexts) -> TurnResult:
        """Take Claude Code's word for the reply only where it is the model's: a command can write into its output."""
        if not reply or texts.include(reply):
            return self._turn(reply or "(Claude finished without a message.)")
        logger.warning("result is not the model's")
        return self._turn(texts.last) if texts.last else self._turn(_NOT_THE_MODELS, is_error=True)

    def _fault(self, process: ClaudeProcess, message: ResultMessage) -> str:
        reason = message.result or "; ".join(message.errors or [])
        if message.api_error_status is not None or message.terminal_reason == "api_error":
            return model_error(message.api_error_status, _kind(process, message), reason)
        return f"Claude Code failed: {reason or message.subtype}. {_RETRY}"

    def _stopped(self, limit: Limit) -> str:
        budget = self._budget
        if limit is Limit.TURNS:
            return (
                f"Stopped: the session has used all of its {budget.max_turns} model turns (the deployment's "
                "`MaxTurns`, or the repository's `max_turns` if lower). To continue, start a new session."
            )
        return (
            f"Stopped: the session has used up its budget of ${budget.budget_usd:.2f} (${budget.cost_usd:.2f} "
            "spent; the deployment's `MaxBudgetUsd`, or the repository's `budget_usd` if lower). To continue, start a "
            "new session."
        )

    def _turn(self, result: str, *, is_error: bool = False, interrupted: bool = False) -> TurnResult:
        return TurnResult(is_error, result, self._budget.turns, self._budget.cost_usd, interrupted)


def _mcp_tools(assignment: Assignment) -> list[str]:
    """Return which tools of MCP servers need no permission; nobody could give one."""
    if assignment.repository_settings:
        return [_MCP_TOOLS]
    return [ALL_BROWSER_TOOLS] if assignment.browser else []


def _kind(process: ClaudeProcess, message: ResultMessage) -> str | None:
    """Return Claude Code's name for the fault: the one that says most, of three places."""
    if message.stop_reason == "refusal":
        return message.stop_reason
    return "prompt_too_long" if message.terminal_reason == "prompt_too_long" else process.fault


def _with_last_message(text: str, process: ClaudeProcess) -> str:
    return f"{text}\n\nClaude's last message:\n\n{process.last_message}" if process.last_message else text

"""What Claude may do without asking, there being nobody to ask."""

from __future__ import annotations

import os.path
import re
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claude_agent_sdk import (
    CanUseToolShadowedWarning,
    HookContext,
    HookInput,
    HookJSONOutput,
    HookMatcher,
    PermissionResult,
    PermissionResultAllow,
    PermissionResultDeny,
    ToolPermissionContext,
)

from cloud_agent_runner.claude.browser_server import opens_elsewhere
from cloud_agent_runner.claude.question import PLACE as QUESTION_PLACE

if TYPE_CHECKING:
    from claude_agent_sdk.types import HookEvent, SyncHookJSONOutput

REFUSED_TOOLS = ["Bash(git push:*)"]
# They change nothing themselves: a subagent's tools are looked at one by one.
_HARMLESS = frozenset({"Read", "Glob", "Grep", "LS", "WebFetch", "WebSearch", "TodoWrite", "Skill", "Task", "Agent"})
# More than `BeforeChange` may take, for Claude Code runs a tool whose hook hasn't come back by then.
_HOOK_SECONDS = 120
# git, its own options with their values, push: and not `git stash push`, nor a path such as hooks/pre-push.
_PUSH = re.compile(r"(?:^|[\s;&|(/])git(?:\s+--?[\w-]+(?:[= ](?!push\b)[^\s-]\S*)?)*\s+push(?![\w./-])")
# Why Claude Code asks a person although the tool is allowed: `.husky`, `.npmrc`, `.claude` and the like.
_PROTECTED = re.compile(
    r"Claude requested permissions to (?:edit|write to) (.+?)"
    r"(?: which is a sensitive file\.|, but you haven't granted it yet\.)"
)
_NOBODY_TO_ASK = (
    "There's nobody to ask for permission. Do it another way, or say in your reply what you couldn't do and why."
)
# Claude Code's way to ask in the middle of a turn (Claude Agent SDK: "Handle approvals and user input").
_QUESTION_TOOL = "AskUserQuestion"
_ASK_AT_THE_END = (
    "Nobody can answer while you work. Decide, and say what you assumed; or, if nothing can go on without the answer, "
    f"end your turn with the question {QUESTION_PLACE}."
)
_REPETITIONS_ALLOWED = 5
# Seven refusals in words have changed nothing by then, and each further one costs a model turn.
_REPETITIONS_BEFORE_THE_END = 12
# That the callback isn't asked about every tool is meant.
warnings.filterwarnings("ignore", category=CanUseToolShadowedWarning)

BeforeChange = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """Hold nothing back."""


class ToolPolicy:
    """Looks at each tool call of one turn before it is run.

    It keeps Claude on course; it is no wall. The wall is that the environment holds no credential.
    """

    def __init__(self, work_tree: Path, before_change: BeforeChange = at_once) -> None:
        """`before_change` is waited for before each call that may change something."""
        self._work_tree = work_tree
        self._before_change = before_change
        self._last_call = ""
        self._repetitions = 0
        self._loop: str | None = None

    @property
    def loop(self) -> str | None:
        """Why the turn was stopped, in words for people; None while it goes somewhere."""
        return self._loop

    def hooks(self) -> dict[HookEvent, list[HookMatcher]]:
        """Return the policy as the SDK takes it; a fault in it stops the call."""
        return {"PreToolUse": [HookMatcher(hooks=[self._before_tool], timeout=_HOOK_SECONDS, on_failure="block")]}

    def objection(self, tool: str, arguments: str) -> str | None:
        """Return why a call is not run, in words for Claude, or None to let it run."""
        call = f"{tool} {arguments}"
        self._repetitions = self._repetitions + 1 if call == self._last_call else 1
        self._last_call = call
        if self._repetitions >= _REPETITIONS_BEFORE_THE_END:
            self._loop = f"the very same {tool} call was made {self._repetitions} times in a row"
        if self._loop is not None:  # a subagent's loop ends the whole turn
            return self._loop
        if self._repetitions > _REPETITIONS_ALLOWED:
            return f"The very same call was made {_REPETITIONS_ALLOWED} times in a row. Do something else, or finish."
        if tool == _QUESTION_TOOL:
            return _ASK_AT_THE_END
        if tool == "Bash" and _PUSH.search(arguments):
            return "Do not push: the commits on this branch are pushed for you when the turn ends."
        return None

    async def permission(
        self, _tool: str, _arguments: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResult:
        """Decide where Claude Code would ask a person: a file of the repository's may be edited, whatever it is.

        Refused is the rest: Git's own folder, what's outside the repository, and what its settings want asked about.
        """
        asked = _PROTECTED.fullmatch(context.decision_reason or "")
        if asked is None or not self._is_in_repository(asked[1]):
            return PermissionResultDeny(message=_NOBODY_TO_ASK)
        return PermissionResultAllow()

    def _is_in_repository(self, path: str) -> bool:
        normal = Path(os.path.normpath(path))
        return normal.is_relative_to(self._work_tree) and ".git" not in normal.relative_to(self._work_tree).parts

    async def _before_tool(self, event: HookInput, _tool_use_id: str | None, _context: HookContext) -> HookJSONOutput:
        if event["hook_event_name"] != "PreToolUse":
            return {}
        arguments = event["tool_input"]
        tool = event["tool_name"]
        reason = self.objection(tool, str(arguments.get("command", arguments))) or opens_elsewhere(tool, arguments)
        if reason is None:
            if tool not in _HARMLESS:
                await self._before_change()
            return {}
        refusal: SyncHookJSONOutput = {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": reason,
            }
        }
        # Without the refusal, Claude Code would stop but run this one call first.
        return refusal if self.loop is None else {**refusal, "continue_": False, "stopReason": self.loop}

"""What Claude may do without asking, there being nobody to ask."""

import re

from claude_agent_sdk import HookContext, HookInput, HookJSONOutput, HookMatcher
from claude_agent_sdk.types import HookEvent

ALLOWED_TOOLS = ["Bash", "Read", "Edit", "Write", "NotebookEdit", "Glob", "Grep", "TodoWrite", "Task"]
REFUSED_TOOLS = ["Bash(git push:*)"]
# git, its own options with their values, push: and not `git stash push`, nor a path such as hooks/pre-push.
_PUSH = re.compile(r"(?:^|[\s;&|(/])git(?:\s+--?[\w-]+(?:[= ](?!push\b)[^\s-]\S*)?)*\s+push(?![\w./-])")
_REPETITIONS_ALLOWED = 5


class ToolPolicy:
    """Looks at each tool call before it is run.

    It keeps Claude on course; it is no wall. The wall is that the environment holds no credential.
    """

    def __init__(self) -> None:
        self._last_call = ""
        self._repetitions = 0

    def hooks(self) -> dict[HookEvent, list[HookMatcher]]:
        """Return the policy as the SDK takes it; a fault in it stops the call."""
        return {"PreToolUse": [HookMatcher(hooks=[self._before_tool], on_failure="block")]}

    def objection(self, tool: str, arguments: str) -> str | None:
        """Return why a call is not run, in words for Claude, or None to let it run."""
        call = f"{tool} {arguments}"
        self._repetitions = self._repetitions + 1 if call == self._last_call else 1
        self._last_call = call
        if self._repetitions > _REPETITIONS_ALLOWED:
            return f"The very same call was made {_REPETITIONS_ALLOWED} times in a row. Do something else, or finish."
        if tool == "Bash" and _PUSH.search(arguments):
            return "Do not push: the commits on this branch are pushed for you when the turn ends."
        return None

    async def _before_tool(self, event: HookInput, _tool_use_id: str | None, _context: HookContext) -> HookJSONOutput:
        if event["hook_event_name"] != "PreToolUse":
            return {}
        arguments = event["tool_input"]
        reason = self.objection(event["tool_name"], str(arguments.get("command", arguments)))
        if reason is None:
            return {}
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": reason,
            }
        }

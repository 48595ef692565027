"""Claude Code's messages as events of the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_agent_sdk import (
    AssistantMessage,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from cloud_agent_runner.claude.description import without_description
from cloud_agent_runner.claude.pages import without_pages
from cloud_agent_runner.claude.question import with_question
from cloud_agent_runner.claude.todo_list import TODO_TOOL
from cloud_agent_runner.claude.tools import seen_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from claude_agent_sdk import Message

    from cloud_agent_runner.transcript.transcript import Transcript

_TODO_STATES = frozenset({"pending", "in_progress", "completed"})
_TODO_ITEMS = 100


def record_message(transcript: Transcript, work_tree: Path, message: Message) -> None:
    """Record what a message says, without what in it isn't for people, and paths as seen from the work tree.

    A command of Claude's can write into Claude Code's output: none of it is believed.
    """
    if isinstance(message, AssistantMessage):
        for block in message.content:
            _record_block(transcript, work_tree, block, message.parent_tool_use_id)
    elif isinstance(message, UserMessage) and not isinstance(message.content, str):
        for block in message.content:
            if isinstance(block, ToolResultBlock):
                text = _text_of(block.content)
                transcript.record("tool_result", id=block.tool_use_id, is_error=bool(block.is_error), text=text)
                _record_change(transcript, work_tree, block.tool_use_id, message.tool_use_result)


def _record_block(transcript: Transcript, work_tree: Path, block: object, parent: str | None) -> None:
    if isinstance(block, TextBlock):
        text, _ = without_pages(block.text)
        text, _ = without_description(text)
        text, _ = with_question(text)
        if text:
            transcript.record("message", text=text, parent=parent)
    elif isinstance(block, ThinkingBlock) and block.thinking:
        transcript.record("thinking", text=block.thinking, parent=parent)
    elif isinstance(block, ToolUseBlock):
        shown = {
            name: seen_from(work_tree, value) if isinstance(value, str) else value
            for name, value in block.input.items()
        }
        transcript.record("tool_call", id=block.id, tool=block.name, input=shown, parent=parent)
        if block.name == TODO_TOOL and parent is None:
            transcript.record("todo", items=list(_todo(block.input.get("todos")))[:_TODO_ITEMS])


def _todo(todos: object) -> Iterator[dict[str, str]]:
    for one in todos if isinstance(todos, list) else []:
        if isinstance(one, dict) and one.get("status") in _TODO_STATES:
            yield {"text": str(one.get("content", "")), "status": one["status"]}


def _text_of(content: str | list[dict[str, Any]] | None) -> str:
    """Return a result's text; of what isn't text, such as an image, its kind."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(part.get("text", f"({part.get('type', 'unknown')})")) for part in content)


def _record_change(transcript: Transcript, work_tree: Path, tool_use_id: str, result: object) -> None:
    """Record the change of a file that Claude Code describes beside a result, by its lines."""
    if not isinstance(result, dict) or not isinstance(path := result.get("filePath"), str):
        return
    hunks = result.get("structuredPatch")
    lines = (
        [line for hunk in hunks if isinstance(hunk, dict) for line in _hunk(hunk)] if isinstance(hunks, list) else []
    )
    if not lines and result.get("type") == "create":
        added = str(result.get("content", "")).splitlines()
        lines = [f"@@ -0,0 +1,{len(added)} @@", *(f"+{line}" for line in added)]
    if lines:
        shown = path.removeprefix(f"{work_tree}/")
        transcript.record("file_change", id=tool_use_id, path=shown, diff="\n".join(lines))


def _hunk(hunk: object) -> list[str]:
    if not isinstance(hunk, dict):
        return []
    old, new = (f"{hunk.get(f'{side}Start')},{hunk.get(f'{side}Lines')}" for side in ("old", "new"))
    lines = hunk.get("lines")
    return [f"@@ -{old} +{new} @@", *(map(str, lines) if isinstance(lines, list) else ())]

"""Reading a request of the Messages API: what was asked last, and what the tools have answered since."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_FENCE = re.compile(r"<((issue|comment|review|review_comment)-[0-9a-f]+)>\n(.*?)\n</\1>", re.DOTALL)
_FIELD = re.compile(r"^(Author|Address|Title): ?(.*)$")
_NO_DESCRIPTION = "(No description was given: the title says it all.)"
_FAIL = re.compile(r"^scripted-model: fail (\d{3})\s*$", re.MULTILINE)
_THINK = re.compile(r"^scripted-model: think (\d{1,4})\s*$", re.MULTILINE)
_RUN = re.compile(r"^scripted-model: run (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """One request of a person, as the agent put it into the prompt."""

    title: str
    body: str

    @property
    def text(self) -> str:
        """Title and body together, either of which may hold what is wanted."""
        return f"{self.title}\n\n{self.body}"

    @property
    def failure(self) -> int | None:
        """The HTTP status that a test asked for."""
        found = _FAIL.search(self.body)
        return int(found[1]) if found else None

    @property
    def thinking_seconds(self) -> int:
        """How long a test wants every answer to take."""
        found = _THINK.search(self.body)
        return int(found[1]) if found else 0

    @property
    def commands(self) -> list[str]:
        """The shell commands that a test asked for."""
        return [command.strip() for command in _RUN.findall(self.body)]


@dataclass(frozen=True)
class ToolResult:
    """What a tool answered."""

    text: str
    is_error: bool


def last_request(messages: list[dict[str, Any]]) -> tuple[Asked, list[ToolResult]]:
    """Return the last request of a person, and every tool result after it, in order.

    After an interrupted turn, one message may hold the last tool's result and, after it, the next request.
    """
    results: list[ToolResult] = []
    for message in reversed(messages):
        if message["role"] != "user":
            continue
        for block in reversed(_blocks(message["content"])):
            if block["type"] == "tool_result":
                results.insert(0, _result(block))
            elif block["type"] == "text" and (fences := _FENCE.findall(block["text"])):
                return _asked(fences[-1][2]), results
    return Asked(title="", body=""), results


def _asked(fenced: str) -> Asked:
    head, _, body = fenced.partition("\n\n")
    fields = {found[1]: found[2] for line in head.splitlines() if (found := _FIELD.match(line))}
    return Asked(title=fields.get("Title", ""), body="" if body == _NO_DESCRIPTION else body)


def _result(block: dict[str, Any]) -> ToolResult:
    text = "\n".join(part.get("text", "") for part in _blocks(block.get("content") or ""))
    return ToolResult(text=text, is_error=bool(block.get("is_error")))


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content

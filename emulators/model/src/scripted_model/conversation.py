"""Reading a call of the Messages API: the last prompt, and the tools' results since."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

_FENCE = re.compile(
    r"<((issue|pull_request|comment|review|review_comment|refused_push)-[0-9a-f]+)>\n(.*?)\n</\1>", re.DOTALL
)
_TITLE = re.compile(r"Title: ?(.*)")
_NO_DESCRIPTION = re.compile(r"\(No description\b[^\n]*\)")
_FAIL = re.compile(r"^scripted-model: fail (\d{3})\s*$", re.MULTILINE)
_THINK = re.compile(r"^scripted-model: think (\d{1,4})\s*$", re.MULTILINE)
_RUN = re.compile(r"^scripted-model: run (.+)$", re.MULTILINE)
_USE = re.compile(r"^scripted-model: use (\w+) (\{.+\})$", re.MULTILINE)
_REWORK = re.compile(r"^scripted-model: once refused (?=run )", re.MULTILINE)


@dataclass(frozen=True)
class Prompt:
    """What one person wrote, as the agent put it into the conversation, and the types of the images beside it."""

    title: str
    body: str
    images: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Title and body together, either of which may hold the request."""
        return f"{self.title}\n\n{self.body}"

    @property
    def failure(self) -> int | None:
        """The HTTP status that every call is to fail with."""
        found = _FAIL.search(self.body)
        return int(found[1]) if found else None

    @property
    def thinking_seconds(self) -> int:
        """How long every response is to take."""
        found = _THINK.search(self.body)
        return int(found[1]) if found else 0

    @property
    def commands(self) -> list[str]:
        """The shell commands to run instead of an edit."""
        return [command.strip() for command in _RUN.findall(self.body)]

    @property
    def uses(self) -> list[tuple[str, dict[str, str]]]:
        """The tools to use before that, each with its arguments."""
        return [(tool, json.loads(arguments)) for tool, arguments in _USE.findall(self.body)]


@dataclass(frozen=True)
class ToolResult:
    """A tool's output."""

    text: str
    is_error: bool


def last_prompt(messages: list[dict[str, Any]]) -> tuple[Prompt, list[ToolResult]]:
    """Return the last prompt of a person, and every tool result after it, in order.

    After an interrupted turn, one message may hold the last tool's result and, after it, the next prompt. When the
    agent asks for other commits than those that it couldn't push, the person's prompt says what to do then.
    """
    results: list[ToolResult] = []
    refused = False
    for message in reversed(messages):
        if message["role"] != "user":
            continue
        blocks = _blocks(message["content"])
        images = tuple(block["source"]["media_type"] for block in blocks if block["type"] == "image")
        for block in reversed(blocks):
            if block["type"] == "tool_result" and not refused:
                results.insert(0, _result(block))
            elif block["type"] == "text" and (fences := _FENCE.findall(block["text"])):
                _, kind, fenced = fences[-1]
                if kind != "refused_push":
                    return (_rework(_prompt(fenced)) if refused else replace(_prompt(fenced), images=images)), results
                refused = True
    return Prompt(title="", body=""), results


def _prompt(fenced: str) -> Prompt:
    head, _, body = fenced.partition("\n\n")
    title = _TITLE.fullmatch(head)
    return Prompt(title=title[1] if title else "", body="" if _NO_DESCRIPTION.fullmatch(body) else body)


def _rework(prompt: Prompt) -> Prompt:
    return Prompt(prompt.title, _REWORK.sub("scripted-model: ", _RUN.sub("", prompt.body)))


def _result(block: dict[str, Any]) -> ToolResult:
    text = "\n".join(part.get("text", "") for part in _blocks(block.get("content") or ""))
    return ToolResult(text=text, is_error=bool(block.get("is_error")))


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content

"""Commands in a comment: each alone on a line, and never in quoted text or code."""

from __future__ import annotations

import re
from enum import StrEnum

_LINE_END = re.compile(r"\r\n|\r|\n")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")  # as CommonMark defines a fenced code block


class Command(StrEnum):
    """What a person may command, as they write it."""

    STOP = "/stop"
    RESTART = "/restart"
    INTERRUPT = "/interrupt"
    STATUS = "/status"
    HELP = "/help"


_COMMANDS = {str(command): command for command in Command}


def read_commands(body: str) -> tuple[frozenset[Command], str]:
    """Return a comment's commands, and the rest of its text, which is the prompt for Claude.

    Case and blanks around a command do not matter; an unknown `/word` is plain text.
    """
    commands: set[Command] = set()
    rest: list[str] = []
    fence = ""
    for line in _LINE_END.split(body):
        was_in_code, fence = bool(fence), _fence_after(line, fence)
        command = None if was_in_code or fence else _COMMANDS.get(line.strip().lower())
        if command is None:
            rest.append(line)
        else:
            commands.add(command)
    return frozenset(commands), "\n".join(rest).strip("\n") if "".join(rest).strip() else ""


def _fence_after(line: str, fence: str) -> str:
    """Return the fence that is open after this line, if any. Like GitHub's, one left open lasts to the end."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    marks, words = found[1], found[2].strip()
    if fence:
        closes = marks.startswith(fence) and not words
        return "" if closes else fence
    return "" if marks[0] == "`" and "`" in words else marks

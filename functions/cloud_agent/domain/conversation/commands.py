"""Commands in a comment: each alone on a line of plain text, never in what is quoted, shown as code or HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import accumulate, pairwise

from pyromark import Options, events_with_range

_LINE_END = re.compile(r"\r\n|\r")
_WORD = re.compile(r"/[a-z][a-z-]{1,29}")
_GITHUB = Options.ENABLE_TABLES | Options.ENABLE_FOOTNOTES | Options.ENABLE_STRIKETHROUGH | Options.ENABLE_TASKLISTS


class Command(StrEnum):
    """What a person may command, as they write it."""

    STOP = "/stop"
    RESTART = "/restart"
    INTERRUPT = "/interrupt"
    UPDATE = "/update"
    MODEL = "/model"
    STATUS = "/status"
    HELP = "/help"


# `/model` alone takes words behind it, no more than it can have a use for: prose may begin like that, too.
_MODEL = re.compile(r"/model((?:\s+\S+){0,2})", re.IGNORECASE)
_COMMANDS = {str(command): command for command in Command}


@dataclass(frozen=True)
class Reading:
    """A comment's commands, and the rest of its text, which is the prompt for Claude.

    `model` is what stands behind `/model`, the last one's where there are several.
    `unknown` are lines that look like commands and are none, where there is nothing else in the comment to work on.
    """

    commands: frozenset[Command]
    text: str
    unknown: tuple[str, ...] = ()
    model: str = ""


NOTHING = Reading(frozenset(), "")


def read_commands(body: str) -> Reading:
    """Read a comment. Case and blanks around a command do not matter."""
    lines = _LINE_END.sub("\n", body).split("\n")
    plain = _plain_lines(lines) if any(line.strip().startswith("/") for line in lines) else []
    words = {number: lines[number].strip().lower() for number in plain}
    models = {number: found[1].strip() for number in plain if (found := _MODEL.fullmatch(lines[number].strip()))}
    commands = {number: _COMMANDS[word] for number, word in words.items() if word in _COMMANDS}
    commands |= dict.fromkeys(models, Command.MODEL)
    model = next(reversed(models.values()), "")
    unknown = {number: word for number, word in words.items() if number not in commands and _WORD.fullmatch(word)}
    rest = [line for number, line in enumerate(lines) if number not in commands]
    if all(not line.strip() or number in commands or number in unknown for number, line in enumerate(lines)):
        return Reading(frozenset(commands.values()), "", tuple(dict.fromkeys(unknown.values())), model)
    return Reading(frozenset(commands.values()), "\n".join(rest).strip("\n"), model=model)


def nearest(word: str) -> Command | None:
    """Return the command that somebody who wrote this has probably meant."""
    return next((_COMMANDS[name] for name in get_close_matches(word, _COMMANDS, n=1)), None)


def _plain_lines(lines: list[str]) -> list[int]:
    """Return the numbers of the lines that are neither code, nor quoted, nor HTML, as GitHub reads Markdown."""
    encoded = [line.encode(errors="replace") + b"\n" for line in lines]
    starts = [0, *accumulate(map(len, encoded))]
    hidden = bytearray(starts[-1])
    for event, place in events_with_range(b"".join(encoded).decode(), options=_GITHUB):
        if _is_no_plain_text(event):
            hidden[place["start"] : place["end"]] = b"\x01" * (place["end"] - place["start"])
    return [number for number, (start, end) in enumerate(pairwise(starts)) if not any(hidden[start : end - 1])]


def _is_no_plain_text(event: object) -> bool:
    match event:
        case {"Start": "HtmlBlock"} | {"Start": {"CodeBlock": _} | {"BlockQuote": _}} | {"Code": _} | {"InlineHtml": _}:
            return True
    return False

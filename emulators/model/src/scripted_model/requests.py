"""Understanding a request in English, as far as a script can."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scripted_model.conversation import Prompt

_NOTE_LIMIT_CHARACTERS = 280
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "\u2018": "\u2019", "«": "»", "„": "“"}
_GREETING = re.compile(
    r"\b(?:change|set|update|make|turn|replace)\b[^\n:]{0,60}?\b(?:greeting|headline|heading|h1)\b[^\n:]{0,40}?"
    r"\b(?:to|with|into|say|says|read|reads)\b(?:\s+(?:say|read))?\s*:?\s*(?P<rest>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_PAGE = re.compile(
    r"\b(?:add|create|make)\b[^\n]{0,40}?\bpage\b[^\n/]{0,30}?[`\"'“]?/(?P<name>[a-z0-9][a-z0-9-]{0,40})[`\"'”]?"
    r"(?:[^\n:]{0,40}?\b(?:says?|saying|reads?|reading|with the text|with)\b\s*:?\s*(?P<rest>\S.*))?",
    re.IGNORECASE | re.DOTALL,
)
_RESERVED_PAGES = frozenset({"home", "frame", "health", "reload", "static", "api"})


@dataclass(frozen=True)
class Greeting:
    """The front page is to greet with `text`."""

    text: str


@dataclass(frozen=True)
class Page:
    """There is to be a page /`name` that says `text`."""

    name: str
    text: str


@dataclass(frozen=True)
class Note:
    """Anything else: put it on the wall, where people see it."""

    text: str


@dataclass(frozen=True)
class Commands:
    """These tools are to be used, then these shell commands to be run."""

    lines: list[str]
    uses: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def request_of(prompt: Prompt) -> Greeting | Page | Note | Commands:
    """Return the request that a prompt makes."""
    if prompt.commands or prompt.uses:
        return Commands(prompt.commands, prompt.uses)
    if found := _GREETING.search(prompt.text):
        return Greeting(_quoted(found["rest"]))
    if (found := _PAGE.search(prompt.text)) and found["name"].lower() not in _RESERVED_PAGES:
        name = found["name"].lower()
        return Page(name, _quoted(found["rest"]) if found["rest"] else name.replace("-", " ").capitalize())
    return Note(_shortened(prompt.title or prompt.body or "A request without text."))


def _quoted(rest: str) -> str:
    """Return the text meant: what stands in quotation marks or a code block, else the rest of the line."""
    rest = re.sub(r"\A(?:```[^\n]*\n|>\s*|\*\*)", "", rest.strip())
    closing = _QUOTES.get(rest[0]) if rest else None
    if closing and (end := rest.find(closing, 1)) > 1 and "\n" not in rest[:end]:
        return rest[1:end].strip()
    return _shortened(rest.splitlines()[0].rstrip("*` ") if rest else "")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _NOTE_LIMIT_CHARACTERS else f"{line[: _NOTE_LIMIT_CHARACTERS - 1]}…"

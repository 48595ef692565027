"""Claude's message on a review, divided into what it says to each thread and what it says to the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# As the agent asks for it: a heading, or a line in bold, that says nothing else.
_HEADING = re.compile(
    r"^[ \t]{0,3}(?:#{1,6}[ \t]+)?[*_]{0,2}"
    r"(?:thread[ \t]+(?P<number>[1-9][0-9]{0,2})|overall)"
    r"[*_]{0,2}:?[*_]{0,2}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass
class Parts:
    """What Claude says to each thread, by its number from one on, and to the whole."""

    overall: str = ""
    of_threads: dict[int, str] = field(default_factory=dict)


def parts_of(message: str, count: int) -> Parts:
    """Divide a message by its headings; what stands before the first one is said to the whole.

    Nothing of it is lost: a heading of a thread that the review doesn't have is text.
    """
    parts = Parts()
    number, start = 0, 0
    for heading in _HEADING.finditer(message):
        following = int(heading["number"] or 0)
        if following <= count:
            _add(parts, number, message[start : heading.start()])
            number, start = following, heading.end()
    _add(parts, number, message[start:])
    return parts


def _add(parts: Parts, number: int, text: str) -> None:
    before = parts.of_threads.get(number, "") if number else parts.overall
    text = "\n\n".join(filter(None, [before, text.strip("\n")])) if text.strip() else before
    if not number:
        parts.overall = text
    elif text:
        parts.of_threads[number] = text

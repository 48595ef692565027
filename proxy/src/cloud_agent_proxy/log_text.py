"""What a program has written, as a page may show it."""

from __future__ import annotations

import re

_MOST_LINES = 40
_MOST_BYTES = 4096
# Colours and cursor movements (ECMA-48 control sequences), titles of the terminal's window, and lone escapes.
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def last_lines(log: str) -> str:
    """Return the end of the log as plain text: 40 lines and 4 KB (UTF-8) at most, no control characters but tabs.

    A line that does not fit as a whole loses its beginning.
    """
    lines = "\n".join(plain_text(log).strip("\n").split("\n")[-_MOST_LINES:])
    return lines.encode(errors="replace")[-_MOST_BYTES:].decode(errors="ignore")


def plain_text(text: str) -> str:
    """Return a text without control characters but tabs and line ends, and without what a terminal takes for orders."""
    return _CONTROL.sub("", _TERMINAL.sub("", text.replace("\r\n", "\n")))

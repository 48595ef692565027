"""What a command writes: its last lines kept for people, all of it logged as long as it isn't a flood."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

LINES_PER_SECOND = 50
LINES_AT_ONCE = 1000
FLOOD_BYTES_PER_MINUTE = 100_000_000
_LINES_KEPT = 200
_LINE_LIMIT_CHARACTERS = 2000
_SHORTEST_HIDDEN_CHARACTERS = 4
_MINUTE = 60.0
# Control sequences, colors among them, and the strings of operating system commands (ECMA-48, 5.4 and 8.3.89). Some
# tools write them to a pipe, too: where FORCE_COLOR or CI is set.
_CONTROL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


class LineLog:
    """Logs the lines of one program: 1,000 at once, then 50 a second; how many are left out is logged with the next."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._allowance = float(LINES_AT_ONCE)
        self._counted_at = time.monotonic()
        self._left_out = 0

    def log(self, line: str) -> None:
        """Log `line`, or leave it out."""
        now = time.monotonic()
        self._allowance = min(LINES_AT_ONCE, self._allowance + (now - self._counted_at) * LINES_PER_SECOND)
        self._counted_at = now
        if self._allowance < 1:
            self._left_out += 1
            return
        self._allowance -= 1
        if self._left_out:
            self.flush()
        logger.info("process output", extra={"program": self._program, "line": line})

    def flush(self) -> None:
        """Say how many lines have been left out."""
        if self._left_out:
            logger.warning("output left out", extra={"program": self._program, "lines": self._left_out})
            self._left_out = 0

    def leave_out(self, lines: int) -> None:
        """Count lines that nobody has looked at."""
        self._left_out += lines


class Mask:
    """Replaces some values, each of their lines from 4 characters on, by ***: a text may be shown on a pull request."""

    def __init__(self, values: Iterable[str]) -> None:
        lines = {line for value in values for line in value.splitlines() if len(line) >= _SHORTEST_HIDDEN_CHARACTERS}
        self._lines = sorted(lines, key=len, reverse=True)

    def over(self, text: str) -> str:
        """Return `text` without the values."""
        for line in self._lines:
            text = text.replace(line, "***")
        return text


class CommandOutput:
    """The output of one command, in chunks as they come, as lines.

    The values of `hidden` are masked. A line longer than 2,000 characters is cut. Of what a terminal would show only
    the text is kept: no colors, and of a progress bar its last state.
    """

    def __init__(self, program: str, hidden: Iterable[str] = ()) -> None:
        self._mask = Mask(hidden)
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._log = LineLog(program)
        self._rest = b""
        self._minute_began = time.monotonic()
        self._bytes_in_minute = 0

    @property
    def is_flood(self) -> bool:
        """Whether more than 100 MB came within a minute."""
        return self._bytes_in_minute > FLOOD_BYTES_PER_MINUTE

    @property
    def lines(self) -> list[str]:
        """The last 200 lines written."""
        return list(self._lines)

    def take(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if time.monotonic() - self._minute_began > _MINUTE:
            self._minute_began, self._bytes_in_minute = time.monotonic(), 0
        self._bytes_in_minute += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        # Of a flood only what can be kept is looked at.
        self._log.leave_out(len(lines[:-_LINES_KEPT]))
        for line in lines[-_LINES_KEPT:]:
            self._keep(line)
        if len(self._rest) > _LINE_LIMIT_CHARACTERS:
            self.finish()

    def finish(self) -> None:
        """Take what was written of the last line."""
        if self._rest:
            self._keep(self._rest)
            self._rest = b""
        self._log.flush()

    def note(self, line: str) -> None:
        """Add a line of the supervisor's own."""
        self.finish()
        self._lines.append(line)

    def last_lines(self, count: int) -> str:
        """Return the last lines written, for a person to read."""
        return "\n".join(list(self._lines)[-count:]) or "(it wrote nothing)"

    def _keep(self, line: bytes) -> None:
        text = line[: 4 * _LINE_LIMIT_CHARACTERS].decode(errors="replace").rstrip()
        text = _CONTROL_SEQUENCE.sub("", text).rpartition("\r")[2]
        text = self._mask.over(text)[:_LINE_LIMIT_CHARACTERS]
        self._lines.append(text)
        self._log.log(text)

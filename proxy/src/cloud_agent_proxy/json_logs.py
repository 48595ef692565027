"""One JSON object a line on stdout, as CloudWatch Logs Insights reads them.

HAProxy writes its access log to the same file descriptor, with the same fields `timestamp`, `level` and `message`
(haproxy.cfg), so nothing stands between the two and the log.
"""

from __future__ import annotations

import json
import logging
import os
import select
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_STDOUT = 1


class JsonFormatter(logging.Formatter):
    """Writes the constant message and, beside it, every field given as `extra`."""

    _OF_EVERY_RECORD: ClassVar[frozenset[str]] = frozenset(
        {*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"}
    )

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, object] = {
            "timestamp": _timestamp(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        line |= {name: value for name, value in vars(record).items() if name not in self._OF_EVERY_RECORD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class StdoutHandler(logging.Handler):
    """Writes each record to file descriptor 1, whole."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; one that cannot be is reported on stderr, as logging does."""
        try:
            _write_line(self.format(record))
        except Exception:  # noqa: BLE001 - as every handler of logging: a line of the log ends no program
            self.handleError(record)


def log_as_json(level: str) -> None:
    """Send every log record at or above `level` to stdout."""
    handler = StdoutHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Their DEBUG prints credentials and rows of the table, their INFO a line for every read.
    for name in ("aiodynamo", "httpcore", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def write_event(message: str, now: float, fields: Mapping[str, object]) -> None:
    """Write one line that is no log record, whatever the level of the log.

    Args:
        message: What the line is, constant.
        now: When it is written, in seconds since the epoch.
        fields: What it says beside.
    """
    _write_line(json.dumps({"timestamp": _timestamp(now), "level": "INFO", "message": message, **fields}))


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _write_line(line: str) -> None:
    """Write it in one piece if it fits a pipe's 4096 bytes, waiting for room.

    HAProxy makes file descriptor 1 non-blocking, for itself and for us: it drops a line rather than let a visitor
    wait. Our own lines are few and tell of what goes wrong, so they wait as they always did.
    """
    rest = f"{line}\n".encode()
    while rest:
        try:
            rest = rest[os.write(_STDOUT, rest) :]
        except BlockingIOError:
            select.select([], [_STDOUT], [])

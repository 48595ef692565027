"""Log lines in JSON, each with its session."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, session_id and the fields given as `extra`."""

    def __init__(self, session_id: str | None) -> None:
        super().__init__()
        self._session_id = session_id

    def format(self, record: logging.LogRecord) -> str:
        """Write `record` as one line, with the traceback inside it when there is one."""
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "session_id": self._session_id,
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD_FIELDS}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def configure_logging(level: str, session_id: str | None) -> None:
    """Send every log line of the process to standard output as JSON.

    Libraries that log whole requests (httpx, the SDK) are kept at WARNING, so that no address with a query
    and no prompt body is ever written.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(session_id))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("cloud_agent_runner").setLevel(level)

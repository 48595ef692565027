"""A line of a log as a person reads it: time, level, message, and what else it says."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

# Known from the log's name, or the same in every line of it.
_LEFT_OUT = {
    *("timestamp", "level", "message", "logger", "location", "service", "exception", "exception_name", "stack_trace"),
    *(
        "function_name",
        "function_arn",
        "function_memory_size",
        "function_request_id",
        "cold_start",
        "xray_trace_id",
        "execution_arn",
    ),
}


def readable(line: str) -> str:
    """Return a line of JSON in words, its exception on lines of its own; any other line as it is."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict) or "message" not in record:
        return line
    message = record["message"]
    words = [_time(record.get("timestamp")), str(record.get("level", "")).ljust(5), _value(message)]
    words += [
        f"{name}={_value(value)}" for name, value in record.items() if name not in _LEFT_OUT and value is not None
    ]
    exception = str(record.get("exception") or "").rstrip()
    return " ".join(word for word in words if word.strip()) + (f"\n{exception}" if exception else "")


def _time(timestamp: object) -> str:
    """Return the time of day of this machine; what cannot be read stays as it is."""
    try:
        return datetime.fromisoformat(str(timestamp)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return str(timestamp or "")


def _value(value: Any) -> str:  # noqa: ANN401 - a JSON document
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

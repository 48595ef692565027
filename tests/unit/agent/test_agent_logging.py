from __future__ import annotations

import json
import logging

from cloud_agent_runner.observability import JsonLines


def test_a_line_is_json_with_the_session_and_the_fields() -> None:
    logger = logging.getLogger("test")
    record = logger.makeRecord("test", logging.INFO, "f", 1, "branch cloned", (), None, extra={"branch": "a\nb"})
    text = JsonLines("09e22a8b").format(record)
    line = json.loads(text)
    assert tuple(line[name] for name in ("message", "level", "session_id", "branch")) == (
        "branch cloned",
        "INFO",
        "09e22a8b",
        "a\nb",
    )
    assert "\n" not in text
    assert {"timestamp", "level", "logger", "message", "session_id", "branch"} == set(line)

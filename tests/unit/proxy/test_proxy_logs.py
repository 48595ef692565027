"""The log's lines."""

import json
import logging

from cloud_agent_proxy.json_logs import JsonFormatter


def line(level: int, message: str, **extra: object) -> dict[str, object]:
    record = logging.makeLogRecord({"levelno": level, "levelname": "ERROR", "name": "proxy", "msg": message, **extra})
    return dict(json.loads(JsonFormatter().format(record)))


def test_fields_stand_beside_a_constant_message() -> None:
    written = line(logging.ERROR, "route assigned", session_id="09e22a8b", address="10.0.0.1:3000")
    written.pop("timestamp")
    assert {
        "level": "ERROR",
        "message": "route assigned",
        "logger": "proxy",
        "session_id": "09e22a8b",
        "address": "10.0.0.1:3000",
    } == written


def test_a_newline_in_a_field_stays_within_the_line() -> None:
    record = logging.makeLogRecord({"msg": "haproxy says", "text": 'one\ntwo "three"'})
    assert 1 == len(JsonFormatter().format(record).splitlines())

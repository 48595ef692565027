"""The log's lines."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading

import pytest

from cloud_agent_proxy import json_logs
from cloud_agent_proxy.json_logs import JsonFormatter, StdoutHandler


def line(level: int, message: str, **extra: object) -> dict[str, object]:
    record = logging.makeLogRecord({"levelno": level, "levelname": "ERROR", "name": "proxy", "msg": message, **extra})
    return dict(json.loads(JsonFormatter().format(record)))


def test_fields_stand_beside_a_constant_message() -> None:
    written = line(logging.ERROR, "route assigned", session_id="09e22a8b", address="10.0.0.1:3000")
    written.pop("timestamp")
    assert written == {
        "level": "ERROR",
        "message": "route assigned",
        "logger": "proxy",
        "session_id": "09e22a8b",
        "address": "10.0.0.1:3000",
    }


def test_a_newline_in_a_field_stays_within_the_line() -> None:
    record = logging.makeLogRecord({"msg": "haproxy says", "text": 'one\ntwo "three"'})
    assert len(JsonFormatter().format(record).splitlines()) == 1


@pytest.mark.timeout(20)
def test_a_line_waits_for_room_in_a_pipe_that_another_process_made_non_blocking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_end, write_end = os.pipe()
    monkeypatch.setattr(json_logs, "_STDOUT", write_end)
    os.set_blocking(write_end, False)
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    filling = os.write(write_end, b"x" * 4095 + b"\n")
    handler = StdoutHandler()
    handler.setFormatter(JsonFormatter())
    record = logging.makeLogRecord({"levelname": "ERROR", "name": "proxy", "msg": "long", "text": "y" * 10_000})
    writing = threading.Thread(target=handler.handle, args=(record,))
    writing.start()
    try:
        with os.fdopen(read_end, "rb") as log:
            assert filling == len(log.readline())
            assert json.loads(log.readline())["text"] == "y" * 10_000
    finally:
        writing.join(5)
        os.close(write_end)


def test_no_library_tells_the_log_of_credentials_or_rows(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        json_logs.log_as_json("DEBUG")
        for name in ("aiodynamo.request", "aiodynamo.response", "httpcore.http11", "httpx"):
            logging.getLogger(name).debug("hush")
            logging.getLogger(name).info("hush")
        logging.getLogger("cloud_agent_proxy").debug("said")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    written = capfd.readouterr().out
    assert "said" in written
    assert "hush" not in written

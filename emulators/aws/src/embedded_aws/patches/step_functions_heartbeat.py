"""Defect: HeartbeatSeconds never fires.

AWS documents that a waitForTaskToken state fails with States.HeartbeatTimeout when no SendTaskHeartbeat came
for HeartbeatSeconds; each heartbeat starts the interval anew.

Source: AWS Step Functions Developer Guide, "Error handling in Step Functions" (States.HeartbeatTimeout) and "Service
Integration Patterns"; SDK model "stepfunctions": SendTaskHeartbeat.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ministack.services import stepfunctions

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECK_INTERVAL_SECONDS = 0.25


def apply() -> None:
    """Watch every wait that has HeartbeatSeconds."""
    wrap(stepfunctions, "_invoke_with_callback", _invoke_with_callback)


def _invoke_with_callback(
    original: Callable[..., object], resource: str, data: object, token: str, state: dict[str, Any]
) -> object:
    over = threading.Event()
    if state.get("HeartbeatSeconds"):
        watch = threading.Thread(target=_watch, args=(token, state["HeartbeatSeconds"], over), daemon=True)
        watch.start()
    try:
        return original(resource, data, token, state)
    finally:
        over.set()


def _watch(token: str, heartbeat_seconds: float, over: threading.Event) -> None:
    last_heartbeat, last_seen = None, time.monotonic()
    while not over.wait(min(_CHECK_INTERVAL_SECONDS, heartbeat_seconds / 4)):
        wait = stepfunctions._task_tokens.get(token)
        if wait and wait["heartbeat"] != last_heartbeat:
            last_heartbeat, last_seen = wait["heartbeat"], time.monotonic()
        elif wait and time.monotonic() - last_seen > heartbeat_seconds:
            wait["error"] = {"Error": "States.HeartbeatTimeout", "Cause": ""}
            wait["event"].set()
            return

"""Defect: one task token serves all attempts of a state, is 36 characters long, and one is like another.

AWS gives each attempt a token of its own, so that a straggler of a failed attempt cannot answer for the next.
Its tokens are some 700 characters long (documented limit: 2,048), which counts against RunTask's 8,192 bytes
of overrides. A token whose wait has ended is answered with TaskTimedOut, and one never issued with InvalidToken.

Source: AWS Step Functions Developer Guide, "Service Integration Patterns" ("a new random token is generated"); SDK
model "stepfunctions": TaskToken, TaskTimedOut and InvalidToken. Of the tokens' usual length none found; assumed.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN_BYTES = 525  # 700 characters of base64
_issued: set[str] = set()


def apply() -> None:
    """Issue a token for each attempt and answer for those that are over."""
    wrap(stepfunctions, "_apply_jsonata_arguments", _arguments)
    for action in ("_send_task_success", "_send_task_failure", "_send_task_heartbeat"):
        wrap(stepfunctions, action, _send)


def _arguments(
    original: Callable[..., object], state: dict[str, Any], state_input: object, context: dict[str, Any]
) -> object:
    if state.get("Resource", "").endswith(".waitForTaskToken"):
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        _issued.add(token)
        context["Task"] = {"Token": token}
    return original(state, state_input, context)


def _send(original: Callable[..., object], request: dict[str, Any]) -> object:
    token = request.get("taskToken", "")
    if token in stepfunctions._task_tokens:
        return original(request)
    if token in _issued:
        return error_response_json("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400)
    return error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)

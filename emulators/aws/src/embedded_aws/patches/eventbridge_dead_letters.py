"""Defect: an event whose target is gone is dropped, though the target names a dead-letter queue.

AWS documents that what cannot be delivered goes to the target's DeadLetterConfig: the event as the message's body, the
cause in its attributes. "For errors such as a target that no longer exists" it goes there at once.

Source: Amazon EventBridge User Guide, "Event retry policy and using dead-letter queues".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import eventbridge, lambda_svc, sqs

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def apply() -> None:
    """Look for the function before the event is sent to it."""
    wrap(eventbridge, "_invoke_target", _invoke)


def _invoke(original: Callable[..., None], target: Json, event: Json, rule: Json, view: Any = None) -> None:  # noqa: ANN401 - ministack's view of an event
    arn, queue = target["Arn"], sqs._queue_by_arn((target.get("DeadLetterConfig") or {}).get("Arn", ""))
    if queue is None or ":lambda:" not in arn or lambda_svc._get_func_record_for_ref(arn)[0]:
        original(target, event, rule, view)
        return
    body = (view or eventbridge._pattern_event_view(event)).event_with_detail()
    why = {
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": arn,
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": f"Function not found: {arn}",
    }
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in why.items()}
    sqs._act_send_message({"MessageBody": json.dumps(body), "MessageAttributes": attributes}, queue["url"])

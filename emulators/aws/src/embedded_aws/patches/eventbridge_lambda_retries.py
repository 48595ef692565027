"""Defect: a rule invokes its function once; what the function raises is lost.

AWS documents that EventBridge invokes a function asynchronously: an event that fails is tried again as the function's
EventInvokeConfig says, and goes to its OnFailure destination in the end. Retries come after 1 and 2 s, not minutes.

Source: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon EventBridge (CloudWatch Events)" and "Asynchronous
invocation".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ministack.services import eventbridge, lambda_svc

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable


def apply() -> None:
    """Invoke as an asynchronous call of Lambda's own API does."""
    wrap(eventbridge, "_dispatch_to_lambda", _dispatch)


def _dispatch(original: Callable[[str, str], None], arn: str, payload: str) -> None:
    function, configuration, _ = lambda_svc._get_func_record_for_ref(arn)
    if not function or not configuration:
        original(arn, payload)  # which says that there is no such function
        return
    record = lambda_svc._execution_record_for_config(function, configuration)
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))

"""Defect: when a function raises, its HTTP API answers 502 with the exception and its stack trace.

AWS documents that an HTTP API answers 500 with `{"message": "Internal Server Error"}` and keeps the details to
the function's log. (REST APIs answer differently; local mode has none.)

Source: Amazon API Gateway Developer Guide, "Troubleshooting issues with HTTP API Lambda integrations".
Upstream: not reported.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import lambda_svc

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]
    Answer = tuple[Json | None, str | None]

_INTERNAL_SERVER_ERROR = {
    "statusCode": 500,
    "headers": {"Content-Type": "application/json"},
    "body": json.dumps({"message": "Internal Server Error"}),
}


def apply() -> None:
    """Answer as AWS does."""
    wrap(lambda_svc, "lambda_execute_result_to_api_proxy_response", _answer)


def _answer(original: Callable[[Json], Answer], result: Json) -> Answer:
    if result.get("error") and not result.get("throttle"):
        return dict(_INTERNAL_SERVER_ERROR), None
    return original(result)

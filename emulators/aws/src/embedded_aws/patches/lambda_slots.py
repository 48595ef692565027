"""Defect: each concurrent invocation gets a worker process of its own, without limit.

AWS runs them on its own machines; here 100 of them took 15.7 GB. Invocations beyond the number of slots wait,
as they would for a cold start. A function invoked by a function does not wait: its caller holds a slot.

Source: none: the limit is this machine's, not AWS's.
Upstream: not reported: no defect.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ministack.services import lambda_svc

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.patches import Context

    Result = dict[str, Any]


def apply(context: Context) -> None:
    """Let as many invocations run at once as there are slots."""
    free = threading.BoundedSemaphore(context.lambda_slots)

    def execute(original: Callable[..., Result], *args: object) -> Result:
        if lambda_svc._invoke_depth.get() > 1:
            return original(*args)
        with free:
            return original(*args)

    wrap(lambda_svc, "_execute_function_warm", execute)

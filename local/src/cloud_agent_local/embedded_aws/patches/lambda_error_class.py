"""Defect: whatever a Python handler raises is reported as errorType Runtime.HandlerError.

AWS documents errorType as the exception's class name, and Step Functions matches Retry and Catch against it.
The class is known only in the worker process, which drops it: its script is extended by one member.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from cloud_agent_local.embedded_aws.patches.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Response = dict[str, Any]

_REPORT = '"trace": traceback.format_exc()'
_failure = threading.local()


class WorkerScriptChangedError(Exception):
    """ministack's worker script no longer has the line this patch extends."""


def apply() -> None:
    """Carry the class name from the worker to the invocation's result.

    Raises:
        WorkerScriptChangedError: The script is not the one this patch was written for.
    """
    if _REPORT not in lambda_runtime._PYTHON_WORKER_SCRIPT:
        raise WorkerScriptChangedError(f"no {_REPORT} in ministack's Python worker script")
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        _REPORT, f'{_REPORT}, "error_type": type(e).__name__'
    )
    wrap(lambda_runtime.Worker, "invoke", _invoke)
    wrap(lambda_svc, "_execute_function_warm", _execute)


def _invoke(original: Callable[..., Response], *args: object, **kwargs: object) -> Response:
    response = original(*args, **kwargs)
    _failure.response = response
    return response


def _execute(original: Callable[..., Response], *args: object) -> Response:
    _failure.response = {}
    result = original(*args)
    error_type = _failure.response.get("error_type")
    if result.get("error") and error_type:
        trace = _failure.response.get("trace", "").splitlines()
        result["body"] |= {"errorType": error_type, "stackTrace": trace}
    return result
